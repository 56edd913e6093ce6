//! Notices for several listeners: an editor, the tabs of the demo, a log. A late listener hears what still holds.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use crate::engine::event::{Notice, Notices};

/// Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hub {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    listeners: Vec<mpsc::UnboundedSender<Notice>>,
    ready: Option<Notice>,
    pages: Option<Notice>,
}

impl Hub {
    /// Where the engine sends, and the task that spreads it.
    pub(crate) fn spread(&self) -> Notices {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let hub = self.clone();
        tokio::spawn(async move {
            while let Some(notice) = receiver.recv().await {
                hub.tell(notice);
            }
        });
        sender
    }

    pub(crate) fn tell(&self, notice: Notice) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        match &notice {
            Notice::Ready { .. } => inner.ready = Some(notice.clone()),
            Notice::PagesChanged { .. } => inner.pages = Some(notice.clone()),
            _ => {}
        }
        inner.listeners.retain(|it| it.send(notice.clone()).is_ok());
    }

    pub(crate) fn subscribe(&self) -> mpsc::UnboundedReceiver<Notice> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        for notice in inner.ready.iter().chain(&inner.pages) {
            let _ = sender.send(notice.clone());
        }
        inner.listeners.push(sender);
        receiver
    }
}
