//! How the features of a run are shared out: over threads, over batches of the device, over windows of what does not fit.

use super::categories::{self, Categorical};
use super::context::{Context, Failure, Task};
use super::ordered::{self, Ordered};
use crate::backend::DeviceError;
use rayon::prelude::*;
use std::sync::mpsc::sync_channel;

/// What was counted of a feature.
#[derive(Debug)]
pub(super) enum Counted {
    /// Numbers, times, booleans.
    Ordered(Box<Ordered>),
    /// Categories.
    Categorical(Box<Categorical>),
}

/// A feature that was read, or that must be read piece by piece because it cannot be held.
enum Ready<'t> {
    Ordered(ordered::Read<'t>),
    Coded(categories::Coded),
    TooLarge(&'t Task),
}

type Answer = Result<Counted, Failure>;

/// Counts every feature, in the order of `tasks`. A feature that cannot be read has its reason instead.
pub(super) fn count(context: &Context<'_>, tasks: &[Task]) -> Vec<Answer> {
    if context.backend.name() == "cpu" { on_the_host(context, tasks) } else { in_batches(context, tasks) }
}

/// On the CPU a thread takes a feature from decoding to its result while the keys are in its cache. Few features, or
/// features too large for that, are taken one by one with all threads at work on each.
fn on_the_host(context: &Context<'_>, tasks: &[Task]) -> Vec<Answer> {
    let alone = tasks.len() >= 2 * context.threads;
    let fits = |task: &Task| alone && context.bytes(task) <= context.memory.keys_a_thread();
    let small: Vec<(usize, Answer)> = tasks
        .par_iter()
        .enumerate()
        .filter(|(_, task)| fits(task) || task.pairing.encoding.is_categorical())
        .map(|(index, task)| (index, one(context, task, false)))
        .collect();
    let mut answers: Vec<Option<Answer>> = tasks.iter().map(|_| None).collect();
    for (index, answer) in small {
        answers[index] = Some(answer);
    }
    let rest = answers.iter_mut().zip(tasks);
    rest.map(|(answer, task)| answer.take().unwrap_or_else(|| one(context, task, true))).collect()
}

fn one(context: &Context<'_>, task: &Task, parallel: bool) -> Answer {
    let answer = read(context, task, parallel).and_then(|ready| finish(context, vec![ready]).remove(0));
    context.progress.feature_done(context.rows());
    answer
}

/// A device gets many features at once, and counts one batch while the next is decoded.
fn in_batches(context: &Context<'_>, tasks: &[Task]) -> Vec<Answer> {
    let room = context.backend.batch_bytes().min(context.memory.keys() / 3);
    let mut answers: Vec<Option<Answer>> = tasks.iter().map(|_| None).collect();
    let (send, receive) = sync_channel::<Vec<(usize, Result<Ready<'_>, Failure>)>>(1);
    std::thread::scope(|scope| {
        let decode = move || {
            for batch in batches(context, tasks, room) {
                let read = |&index: &usize| (index, read(context, &tasks[index], true));
                if send.send(batch.par_iter().map(read).collect()).is_err() {
                    break;
                }
            }
        };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(context.threads).build();
        scope.spawn(move || match pool {
            Ok(pool) => pool.install(decode),
            Err(_) => decode(),
        });
        for batch in receive {
            let (mut indices, mut held) = (Vec::new(), Vec::new());
            for (index, read) in batch {
                context.progress.feature_done(context.rows());
                match read {
                    Ok(ready) => {
                        indices.push(index);
                        held.push(ready);
                    }
                    Err(reason) => answers[index] = Some(Err(reason)),
                }
            }
            for (index, answer) in indices.into_iter().zip(finish(context, held)) {
                answers[index] = Some(answer);
            }
        }
    });
    answers
        .into_iter()
        .map(|answer| answer.unwrap_or_else(|| Err(DeviceError::Lost("the batch did not come back".to_owned()).into())))
        .collect()
}

/// Neighbouring features whose keys fit into `room` bytes together.
fn batches(context: &Context<'_>, tasks: &[Task], room: usize) -> Vec<Vec<usize>> {
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut left = 0;
    for (index, task) in tasks.iter().enumerate() {
        let bytes = context.bytes(task);
        match batches.last_mut().filter(|_| bytes <= left) {
            Some(batch) => {
                batch.push(index);
                left -= bytes;
            }
            None => {
                batches.push(vec![index]);
                left = room.saturating_sub(bytes);
            }
        }
    }
    batches
}

fn read<'t>(context: &Context<'t>, task: &'t Task, parallel: bool) -> Result<Ready<'t>, Failure> {
    if task.pairing.encoding.is_categorical() {
        Ok(categories::read(context, task)?.map_or(Ready::TooLarge(task), Ready::Coded))
    } else if context.bytes(task) > context.memory.keys() {
        Ok(Ready::TooLarge(task))
    } else {
        ordered::read(context, task, parallel).map(Ready::Ordered)
    }
}

/// Counts what is held in one batch of the backend, and the rest piece by piece; answers in the order of `ready`.
fn finish(context: &Context<'_>, ready: Vec<Ready<'_>>) -> Vec<Answer> {
    let mut answers: Vec<Option<Answer>> = ready.iter().map(|_| None).collect();
    let (mut ordered, mut coded) = (Held::default(), Held::default());
    for (index, ready) in ready.into_iter().enumerate() {
        match ready {
            Ready::Ordered(read) => ordered.push(index, read),
            Ready::Coded(read) => coded.push(index, read),
            Ready::TooLarge(task) => answers[index] = Some(piece_by_piece(context, task)),
        }
    }
    let ordered = ordered.count(|held| ordered::compare_held(context, held), |one| Counted::Ordered(Box::new(one)));
    let coded = coded.count(|held| categories::count_held(context, held), |one| Counted::Categorical(Box::new(one)));
    for (index, answer) in ordered.into_iter().chain(coded) {
        answers[index] = Some(answer);
    }
    answers.into_iter().map(|answer| answer.expect("every feature of the batch was counted")).collect()
}

fn piece_by_piece(context: &Context<'_>, task: &Task) -> Answer {
    if task.pairing.encoding.is_categorical() {
        return categories::partitioned(context, task).map(|counted| Counted::Categorical(Box::new(counted)));
    }
    let counted = ordered::compare_streamed(context, task)?;
    Ok(Counted::Ordered(Box::new(counted)))
}

/// Features of one kind that are held, with their places in the batch.
struct Held<T> {
    at: Vec<usize>,
    held: Vec<T>,
}

impl<T> Default for Held<T> {
    fn default() -> Self {
        Self { at: Vec::new(), held: Vec::new() }
    }
}

impl<T> Held<T> {
    fn push(&mut self, index: usize, one: T) {
        self.at.push(index);
        self.held.push(one);
    }

    fn count<C>(
        self,
        count: impl FnOnce(Vec<T>) -> Result<Vec<C>, DeviceError>,
        counted: impl Fn(C) -> Counted,
    ) -> Vec<(usize, Answer)> {
        if self.held.is_empty() {
            return Vec::new();
        }
        match count(self.held) {
            Ok(all) => self.at.into_iter().zip(all.into_iter().map(|one| Ok(counted(one)))).collect(),
            Err(error) => {
                let reason = error.to_string();
                let failed = |index| (index, Err(DeviceError::Lost(reason.clone()).into()));
                self.at.into_iter().map(failed).collect()
            }
        }
    }
}
