//! The layers around a real client, against the mock.

#[cfg(test)]
mod stack;
