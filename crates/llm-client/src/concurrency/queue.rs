//! A bounded queue whose first is the one with the earliest deadline.

use std::collections::BTreeMap;

use tokio::time::Instant;

/// A place in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket {
    deadline: Instant,
    arrival: u64,
}

/// Who waits, by deadline and then by arrival.
#[derive(Debug)]
pub(super) struct DeadlineQueue<T> {
    waiting: BTreeMap<Ticket, T>,
    capacity: usize,
    arrivals: u64,
}

impl<T> DeadlineQueue<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            waiting: BTreeMap::new(),
            capacity,
            arrivals: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= self.capacity
    }

    /// How many would be served before one with this deadline that came now. Looks at each of
    /// them, of which there are at most as many as the queue holds.
    pub(super) fn ahead_of(&self, deadline: Instant) -> usize {
        let now = Ticket {
            deadline,
            arrival: u64::MAX,
        };
        self.waiting.range(..now).count()
    }

    /// Puts one in its place; gives it back where the queue is full.
    pub(super) fn push(&mut self, deadline: Instant, item: T) -> Result<Ticket, T> {
        if self.is_full() {
            return Err(item);
        }
        self.arrivals += 1;
        let ticket = Ticket {
            deadline,
            arrival: self.arrivals,
        };
        self.waiting.insert(ticket, item);
        Ok(ticket)
    }

    /// Takes the first out.
    pub(super) fn pop(&mut self) -> Option<T> {
        self.waiting.pop_first().map(|(_, item)| item)
    }

    /// Takes one out, if it is still in.
    pub(super) fn remove(&mut self, ticket: &Ticket) -> Option<T> {
        self.waiting.remove(ticket)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Push(u64),
        Pop,
        Remove(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => (0..6_u64).prop_map(Step::Push),
            1 => Just(Step::Pop),
            1 => (0..20_usize).prop_map(Step::Remove),
        ];
        proptest::collection::vec(step, 0..80)
    }

    proptest! {
        /// The same as a plain list that is searched for its least.
        #[test]
        fn it_is_a_sorted_list_with_a_bound(steps in steps()) {
            let start = Instant::now();
            let at = |second| start + Duration::from_secs(second);
            let mut queue = DeadlineQueue::new(10);
            let (mut list, mut tickets) = (Vec::new(), Vec::new());
            for (id, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Push(second) => {
                        let ahead = list.iter().filter(|(other, _)| *other <= second).count();
                        prop_assert_eq!(queue.ahead_of(at(second)), ahead);
                        match queue.push(at(second), id) {
                            Ok(ticket) => {
                                list.push((second, id));
                                tickets.push((ticket, id));
                            }
                            Err(back) => prop_assert!(back == id && list.len() == 10),
                        }
                    }
                    Step::Pop => {
                        let least = list.iter().copied().min();
                        list.retain(|entry| Some(*entry) != least);
                        prop_assert_eq!(queue.pop(), least.map(|(_, id)| id));
                    }
                    Step::Remove(index) => if let Some((ticket, id)) = tickets.get(index) {
                        let was_in = list.iter().any(|(_, other)| other == id);
                        list.retain(|(_, other)| other != id);
                        prop_assert_eq!(queue.remove(ticket), was_in.then_some(*id));
                    }
                }
                prop_assert_eq!(queue.len(), list.len());
                prop_assert_eq!(queue.is_full(), list.len() == 10);
            }
        }
    }
}
