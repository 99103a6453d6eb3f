//! What the batcher uses of `tokio::sync`, of shuttle's parts: each lock taken is a place to change the task.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::task::{Poll, Waker};

use shuttle::future::batch_semaphore::{BatchSemaphore, Fairness};
use shuttle::sync::Mutex as Lock;

/// As `tokio::sync::Mutex`: whoever has waited longest gets it next.
pub struct Mutex<T> {
    turn: BatchSemaphore,
    value: Lock<Option<T>>,
}

/// The right to the value, given back when dropped.
pub struct Guard<'a, T> {
    of: &'a Mutex<T>,
    value: Option<T>,
}

impl<T> Mutex<T> {
    pub fn new(value: T) -> Self {
        Self { turn: BatchSemaphore::new(1, Fairness::StrictlyFair), value: Lock::new(Some(value)) }
    }

    pub async fn lock(&self) -> Guard<'_, T> {
        self.turn.acquire(1).await.unwrap();
        Guard { of: self, value: self.value.lock().unwrap().take() }
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().unwrap()
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().unwrap()
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        *self.of.value.lock().unwrap() = self.value.take();
        self.of.turn.release(1);
    }
}

pub mod mpsc {
    use super::*;

    struct Queue<T> {
        items: VecDeque<T>,
        items_max: usize,
        senders: usize,
        is_open: bool,
        receiver: Option<Waker>,
    }

    pub struct Sender<T>(Arc<Lock<Queue<T>>>);

    pub struct Receiver<T>(Arc<Lock<Queue<T>>>);

    pub fn channel<T>(items_max: usize) -> (Sender<T>, Receiver<T>) {
        let queue = Queue { items: VecDeque::new(), items_max, senders: 1, is_open: true, receiver: None };
        let queue = Arc::new(Lock::new(queue));
        (Sender(Arc::clone(&queue)), Receiver(queue))
    }

    impl<T> std::fmt::Debug for Sender<T> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Sender")
        }
    }

    impl<T> Sender<T> {
        pub fn try_send(&self, item: T) -> Result<(), T> {
            let mut queue = self.0.lock().unwrap();
            if !queue.is_open || queue.items.len() == queue.items_max {
                return Err(item);
            }
            queue.items.push_back(item);
            if let Some(receiver) = queue.receiver.take() {
                receiver.wake();
            }
            Ok(())
        }
    }

    impl<T> Clone for Sender<T> {
        fn clone(&self) -> Self {
            self.0.lock().unwrap().senders += 1;
            Self(Arc::clone(&self.0))
        }
    }

    impl<T> Drop for Sender<T> {
        fn drop(&mut self) {
            let mut queue = self.0.lock().unwrap();
            queue.senders -= 1;
            let was_last = queue.senders == 0;
            if let Some(receiver) = queue.receiver.take_if(|_| was_last) {
                receiver.wake();
            }
        }
    }

    impl<T> Receiver<T> {
        pub fn is_empty(&self) -> bool {
            self.0.lock().unwrap().items.is_empty()
        }

        pub async fn recv_many(&mut self, taken: &mut Vec<T>, count_max: usize) -> usize {
            poll_fn(|task| {
                let mut queue = self.0.lock().unwrap();
                let count = queue.items.len().min(count_max);
                if count == 0 && queue.senders > 0 {
                    queue.receiver = Some(task.waker().clone());
                    return Poll::Pending;
                }
                taken.extend(queue.items.drain(..count));
                Poll::Ready(count)
            })
            .await
        }
    }

    impl<T> Drop for Receiver<T> {
        fn drop(&mut self) {
            let left: VecDeque<T> = {
                let mut queue = self.0.lock().unwrap();
                queue.is_open = false;
                std::mem::take(&mut queue.items)
            };
            drop(left);
        }
    }
}

pub mod oneshot {
    use std::pin::Pin;
    use std::task::Context;

    use super::*;

    struct Slot<T> {
        value: Option<T>,
        has_sender: bool,
        receiver: Option<Waker>,
    }

    pub struct Sender<T>(Arc<Lock<Slot<T>>>);

    pub struct Receiver<T>(Arc<Lock<Slot<T>>>);

    pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
        let slot = Arc::new(Lock::new(Slot { value: None, has_sender: true, receiver: None }));
        (Sender(Arc::clone(&slot)), Receiver(slot))
    }

    impl<T> Sender<T> {
        /// The receiver learns of it when the sender is dropped, at the end.
        pub fn send(self, value: T) -> Result<(), T> {
            self.0.lock().unwrap().value = Some(value);
            Ok(())
        }
    }

    impl<T> Drop for Sender<T> {
        fn drop(&mut self) {
            let mut slot = self.0.lock().unwrap();
            slot.has_sender = false;
            if let Some(receiver) = slot.receiver.take() {
                receiver.wake();
            }
        }
    }

    impl<T> Future for Receiver<T> {
        type Output = Result<T, ()>;

        fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
            let mut slot = self.0.lock().unwrap();
            match (slot.value.take(), slot.has_sender) {
                (Some(value), _) => Poll::Ready(Ok(value)),
                (None, false) => Poll::Ready(Err(())),
                (None, true) => {
                    slot.receiver = Some(task.waker().clone());
                    Poll::Pending
                }
            }
        }
    }
}
