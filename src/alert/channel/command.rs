//! A program: the message as JSON on its standard input. A hook for rollback or fallback is one of these, with
//! `level = "critical"`.
//!
//! No shell is involved. `GPUDRIFT_ACTION`, `GPUDRIFT_LEVEL`, `GPUDRIFT_KEY` and `GPUDRIFT_EVENT` are in its environment,
//! for scripts that read no JSON. It has delivered the message when it ends with code 0; it may be called twice with
//! one event.

use std::io::{Read, Seek, Write};
use std::process::{Command as Process, Stdio};
use std::time::Duration;

use wait_timeout::ChildExt;

use super::{Channel, ChannelType, Problem};
use crate::alert::config::ChannelConfig;
use crate::alert::message::Message;
use crate::format::{cut, printable};
use crate::post::SendError;

pub(super) const COMMAND: ChannelType = ChannelType {
    name: "command",
    about: "a program that gets the message as JSON on its standard input",
    keys: &["command"],
    build,
};

struct Command {
    argv: Vec<String>,
    timeout: Duration,
}

fn build(config: &ChannelConfig, timeout: Duration) -> Result<Box<dyn Channel>, Problem> {
    if config.command.first().is_none_or(String::is_empty) {
        return Err(Problem::Keys("command is missing: the program and its arguments".to_owned()));
    }
    Ok(Box::new(Command { argv: config.command.clone(), timeout }))
}

impl Channel for Command {
    fn send(&self, message: &Message) -> Result<(), SendError> {
        let body = serde_json::to_vec(message).map_err(|error| SendError::never(error.to_string()))?;
        self.run(message, &body).map_err(|error| SendError::never(format!("{}: {error}", self.argv[0])))?
    }
}

impl Command {
    fn run(&self, message: &Message, body: &[u8]) -> std::io::Result<Result<(), SendError>> {
        // Files, not pipes: a program that reads or writes nothing, or forks, holds nobody up.
        let mut input = tempfile::tempfile()?;
        input.write_all(body)?;
        input.rewind()?;
        let mut said = tempfile::tempfile()?;
        let mut child = Process::new(&self.argv[0])
            .args(&self.argv[1..])
            .env("GPUDRIFT_ACTION", message.action.name())
            .env("GPUDRIFT_LEVEL", message.level.name())
            .env("GPUDRIFT_KEY", &message.key)
            .env("GPUDRIFT_EVENT", &message.event)
            .stdin(input)
            .stdout(Stdio::null())
            .stderr(said.try_clone()?)
            .spawn()?;
        let Some(status) = child.wait_timeout(self.timeout)? else {
            child.kill()?;
            child.wait()?;
            let after = humantime::format_duration(self.timeout);
            return Ok(Err(SendError::soon(format!("{} was stopped after {after}", self.argv[0]))));
        };
        if status.success() {
            return Ok(Ok(()));
        }
        said.rewind()?;
        let mut text = Vec::new();
        said.take(4096).read_to_end(&mut text)?;
        let text = cut(&printable(String::from_utf8_lossy(&text).trim()), 200);
        Ok(Err(SendError::soon(format!("{} ended with {status}: {text}", self.argv[0]))))
    }
}
