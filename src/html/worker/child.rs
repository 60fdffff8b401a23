//! The child's side of the pipes.

use std::io;

use super::frame::{Frame, read_frame, write_frame};
use super::message::{Answer, Confinement, Numbered, REQUEST, Reply, Request, Wear, unpack};
use crate::page::Failure;

/// The main function of the process that draws: answers until the pipe is closed. Gives the exit code.
#[must_use]
pub fn serve() -> u8 {
    let _ = answer_requests();
    0
}

fn answer_requests() -> io::Result<()> {
    send(0, Ok(Reply::Ready(Confinement::default())))?;
    loop {
        let frame = read_frame(&mut io::stdin().lock(), REQUEST)?;
        let request: Numbered<Request> = serde_json::from_slice(&frame.header)?;
        let failure = match request.body {
            Request::Open { source, .. } => {
                unpack(source, frame.blobs).map_or(Failure::Died, |_| Failure::NoProcess)
            }
            _ => Failure::NoProcess,
        };
        send(request.serial, Err(failure))?;
    }
}

fn send(serial: u64, outcome: Result<Reply, Failure>) -> io::Result<()> {
    let answer = Answer {
        outcome,
        wear: Wear::default(),
    };
    let header = serde_json::to_vec(&Numbered { serial, body: answer })?;
    let frame = Frame {
        header,
        blobs: Vec::new(),
    };
    write_frame(&mut io::stdout().lock(), &frame)
}
