//! How the features of a run are shared out: over threads, over batches of the device, over windows of what does not fit.

use super::categories::{self, Categorical};
use super::context::{Context, Failure, Reading};
use super::evaluate::{Evaluated, evaluate};
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
    Coded(categories::Coded<'t>),
    TooLarge(&'t Reading),
}

/// One result a task of a reading.
pub(super) type Answer = Result<Vec<Evaluated>, Failure>;

/// One result a task, before it is evaluated.
type Found = Result<Vec<Counted>, Failure>;

/// Counts every feature, in the order of `readings`. A feature that cannot be read has its reason instead.
pub(super) fn count(context: &Context<'_>, readings: &[Reading]) -> Vec<Answer> {
    if context.backend.name() == "cpu" { on_the_host(context, readings) } else { in_batches(context, readings) }
}

/// On the CPU a thread takes a feature from decoding to its result while the keys are in its cache. Few features, or
/// features too large for that, are taken one by one with all threads at work on each.
fn on_the_host(context: &Context<'_>, readings: &[Reading]) -> Vec<Answer> {
    let alone = readings.len() >= 2 * context.threads;
    let fits = |reading: &Reading| alone && context.bytes(reading) <= context.memory.keys_a_thread();
    let small: Vec<(usize, Answer)> = readings
        .par_iter()
        .enumerate()
        .filter(|(_, reading)| fits(reading) || reading.encoding.is_categorical())
        .map(|(index, reading)| (index, one(context, reading, false)))
        .collect();
    let mut answers: Vec<Option<Answer>> = readings.iter().map(|_| None).collect();
    for (index, answer) in small {
        answers[index] = Some(answer);
    }
    let rest = answers.iter_mut().zip(readings);
    rest.map(|(answer, reading)| answer.take().unwrap_or_else(|| one(context, reading, true))).collect()
}

fn one(context: &Context<'_>, reading: &Reading, parallel: bool) -> Answer {
    let found = read(context, reading, parallel).and_then(|ready| finish(context, vec![ready]).remove(0));
    let answer = evaluated(context, reading, found);
    context.progress.feature_done(context.rows());
    answer
}

/// Facts are large and reports are small, so that what was counted becomes a report at once.
fn evaluated(context: &Context<'_>, reading: &Reading, found: Found) -> Answer {
    let tasks = &reading.tasks;
    found.map(|found| tasks.iter().zip(found).map(|(task, one)| evaluate(task, one, context.config)).collect())
}

/// A device gets many features at once, and counts one batch while the next is decoded.
fn in_batches(context: &Context<'_>, readings: &[Reading]) -> Vec<Answer> {
    let room = context.backend.batch_bytes().min(context.memory.keys() / 3);
    let mut answers: Vec<Option<Answer>> = readings.iter().map(|_| None).collect();
    let (send, receive) = sync_channel::<Vec<(usize, Result<Ready<'_>, Failure>)>>(1);
    std::thread::scope(|scope| {
        let decode = move || {
            for batch in batches(context, readings, room) {
                let read = |&index: &usize| (index, read(context, &readings[index], true));
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
            for (index, found) in indices.into_iter().zip(finish(context, held)) {
                answers[index] = Some(evaluated(context, &readings[index], found));
            }
        }
    });
    answers
        .into_iter()
        .map(|answer| answer.unwrap_or_else(|| Err(DeviceError::Lost("the batch did not come back".to_owned()).into())))
        .collect()
}

/// Neighbouring features whose keys fit into `room` bytes together.
fn batches(context: &Context<'_>, readings: &[Reading], room: usize) -> Vec<Vec<usize>> {
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut left = 0;
    for (index, reading) in readings.iter().enumerate() {
        let bytes = context.bytes(reading);
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

fn read<'t>(context: &Context<'t>, reading: &'t Reading, parallel: bool) -> Result<Ready<'t>, Failure> {
    if reading.encoding.is_categorical() {
        Ok(categories::read(context, reading)?.map_or(Ready::TooLarge(reading), Ready::Coded))
    } else if context.bytes(reading) > context.memory.keys() {
        Ok(Ready::TooLarge(reading))
    } else {
        ordered::read(context, reading, parallel).map(Ready::Ordered)
    }
}

/// Counts what is held in one batch of the backend, and the rest piece by piece; answers in the order of `ready`.
fn finish(context: &Context<'_>, ready: Vec<Ready<'_>>) -> Vec<Found> {
    let mut answers: Vec<Option<Found>> = ready.iter().map(|_| None).collect();
    let (mut numbers, mut coded) = (Held::default(), Held::default());
    for (index, ready) in ready.into_iter().enumerate() {
        match ready {
            Ready::Ordered(read) => numbers.push(index, read),
            Ready::Coded(read) => coded.push(index, read),
            Ready::TooLarge(reading) => answers[index] = Some(piece_by_piece(context, reading)),
        }
    }
    let numbers = numbers.count(|held| ordered::compare_held(context, held), ordered);
    let coded = coded.count(|held| categories::count_held(context, held), categorical);
    for (index, answer) in numbers.into_iter().chain(coded) {
        answers[index] = Some(answer);
    }
    answers.into_iter().map(|answer| answer.expect("every feature of the batch was counted")).collect()
}

fn piece_by_piece(context: &Context<'_>, reading: &Reading) -> Found {
    if reading.encoding.is_categorical() {
        return categories::partitioned(context, reading).map(|counted| counted.into_iter().map(categorical).collect());
    }
    let counted = ordered::compare_streamed(context, reading)?;
    Ok(counted.into_iter().map(ordered).collect())
}

fn ordered(counted: Ordered) -> Counted {
    Counted::Ordered(Box::new(counted))
}

fn categorical(counted: Categorical) -> Counted {
    Counted::Categorical(Box::new(counted))
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
        count: impl FnOnce(Vec<T>) -> Result<Vec<Vec<C>>, DeviceError>,
        counted: impl Fn(C) -> Counted,
    ) -> Vec<(usize, Found)> {
        if self.held.is_empty() {
            return Vec::new();
        }
        match count(self.held) {
            Ok(all) => self
                .at
                .into_iter()
                .zip(all.into_iter().map(|one| Ok(one.into_iter().map(&counted).collect())))
                .collect(),
            Err(error) => {
                let reason = error.to_string();
                let failed = |index| (index, Err(DeviceError::Lost(reason.clone()).into()));
                self.at.into_iter().map(failed).collect()
            }
        }
    }
}
