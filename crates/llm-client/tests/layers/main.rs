//! The layers around a real client, against the mock.

#[cfg(test)]
mod flapping;
#[cfg(test)]
mod recorded;
#[cfg(test)]
mod stack;
