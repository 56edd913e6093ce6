//! The connected pages: what each was sent of every module, and the way to send it more.

use std::time::Instant;

use rustc_hash::{FxHashMap, FxHashSet};
use tokio::sync::mpsc;

use crate::sites::{Rev, SiteId};
use crate::wire::{Change, ModuleOutcome, PageId, ToPage, When};

/// One page with an open socket, or one whose socket was lost a moment ago.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) address: String,
    pub(crate) url: String,
    /// The id of the HTML file that it was made from; empty: of none.
    pub(crate) html: String,
    /// The revision of this server at which that file was read; 0: not known.
    pub(crate) html_rev: Rev,
    pub(crate) user_agent: String,
    pub(crate) modules: FxHashMap<String, PageModule>,
    /// It has all changes of files that are no modules up to this revision. The largest number: it did not say hello yet.
    pub(crate) files_rev: Rev,
    /// `None`: the socket is lost, the page may come back.
    outbox: Option<mpsc::Sender<ToPage>>,
    /// The number of the newest push on this socket.
    seq: u64,
    /// The newest pushes.
    pub(crate) waiting: FxHashMap<u64, Sent>,
}

/// What a page runs of one module.
#[derive(Debug, Clone)]
pub(crate) struct PageModule {
    /// Where the page says it is: what the next patch builds on.
    pub(crate) rev: Rev,
    /// Everything that changed up to here is in the page, or in `skipped` or `held`.
    pub(crate) seen: Rev,
    /// The revision at which the module ran: its top level is of that time.
    pub(crate) root_rev: Rev,
    /// Changed functions that name what this page's top level does not have.
    pub(crate) skipped: Vec<SiteId>,
    /// Functions of pushes that the page holds or refused: sent again together when one of them is edited again.
    pub(crate) held: Vec<SiteId>,
    /// What the page answered to the newest update that it did not take: while somebody types, it isn't sent twice.
    pub(crate) refused: Option<ModuleOutcome>,
    /// It failed when it ran, and a patch could not help: it has to run again.
    pub(crate) failed: bool,
    /// The page shows a problem of it.
    pub(crate) shows_problem: bool,
}

/// A push on its way.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) when: When,
    pub(crate) documents: FxHashMap<String, SentDocument>,
    /// The modules that run again with this push, and the revision they then have.
    pub(crate) updates: FxHashMap<String, Rev>,
    /// What the page has of the modules whose top level this push changes: it still has that if it does not take the push.
    pub(crate) before: FxHashMap<String, PageModule>,
    /// The functions that this push changes, by module, and the revision they then have.
    pub(crate) patches: FxHashMap<String, (Rev, Vec<SiteId>)>,
}

impl Sent {
    pub(crate) fn new(when: When) -> Sent {
        Sent {
            when,
            documents: FxHashMap::default(),
            updates: FxHashMap::default(),
            before: FxHashMap::default(),
            patches: FxHashMap::default(),
        }
    }
}

impl PageModule {
    /// A module as a page has just loaded it.
    pub(crate) fn loaded(rev: Rev) -> PageModule {
        PageModule {
            rev,
            seen: rev,
            root_rev: rev,
            skipped: Vec::new(),
            held: Vec::new(),
            refused: None,
            failed: false,
            shows_problem: false,
        }
    }
}

/// The version of a document that a push carries.
#[derive(Debug, Clone)]
pub(crate) struct SentDocument {
    pub(crate) uri: String,
    pub(crate) version: i32,
    pub(crate) arrived: Instant,
}

impl Page {
    /// Outcomes of pushes that are older than this many are not told to the editor any more.
    const REMEMBERED: u64 = 64;

    pub(crate) fn new(address: String, outbox: mpsc::Sender<ToPage>) -> Page {
        Page {
            address,
            url: String::new(),
            html: String::new(),
            html_rev: 0,
            user_agent: String::new(),
            modules: FxHashMap::default(),
            files_rev: Rev::MAX,
            outbox: Some(outbox),
            seq: 0,
            waiting: FxHashMap::default(),
        }
    }

    /// The page has opened a new socket: pushes count from 1 again.
    pub(crate) fn reconnect(&mut self, address: String, outbox: mpsc::Sender<ToPage>) {
        self.address = address;
        self.outbox = Some(outbox);
        self.seq = 0;
        self.waiting.clear();
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.outbox.is_some()
    }

    pub(crate) fn disconnect(&mut self) {
        self.outbox = None;
        self.waiting.clear();
    }

    /// Sends a message that is no push. A page that does not read is given up.
    pub(crate) fn send(&mut self, message: ToPage) {
        if let Some(outbox) = &self.outbox
            && outbox.try_send(message).is_err()
        {
            self.disconnect();
        }
    }

    /// Sends changes that belong together.
    pub(crate) fn push(&mut self, changes: Vec<Change>, mut sent: Sent) {
        self.seq += 1;
        let when = sent.when;
        for change in &changes {
            if let Change::Patch { module, rev, sites, .. } = change {
                sent.patches.insert(module.clone(), (*rev, sites.iter().map(|it| it.id).collect()));
            }
        }
        self.waiting.insert(self.seq, sent);
        self.waiting.remove(&self.seq.saturating_sub(Page::REMEMBERED));
        let seq = self.seq;
        self.send(ToPage::Push { seq, when, changes });
    }

    pub(crate) fn module_ids(&self) -> FxHashSet<String> {
        self.modules.keys().cloned().collect()
    }
}

/// All pages, the lost ones included.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    list: FxHashMap<PageId, Page>,
    /// Pages whose socket was lost, oldest first.
    lost: Vec<PageId>,
}

impl Pages {
    /// A page that does not come back is forgotten when this many others were lost after it.
    const REMEMBERED: usize = 64;

    pub(crate) fn get(&self, id: &PageId) -> Option<&Page> {
        self.list.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: &PageId) -> Option<&mut Page> {
        self.list.get_mut(id)
    }

    pub(crate) fn insert(&mut self, id: PageId, page: Page) {
        self.lost.retain(|it| *it != id);
        self.list.insert(id, page);
    }

    pub(crate) fn take_lost(&mut self, id: &PageId) -> Option<Page> {
        self.lost.retain(|it| it != id);
        self.list.remove(id)
    }

    pub(crate) fn lose(&mut self, id: &PageId) {
        if let Some(page) = self.list.get_mut(id) {
            page.disconnect();
            self.lost.retain(|it| it != id);
            self.lost.push(id.clone());
        }
        if self.lost.len() > Pages::REMEMBERED {
            let gone = self.lost.remove(0);
            self.list.remove(&gone);
        }
    }

    pub(crate) fn connected(&self) -> impl Iterator<Item = (&PageId, &Page)> {
        self.list.iter().filter(|(_, page)| page.is_connected())
    }

    pub(crate) fn connected_mut(&mut self) -> impl Iterator<Item = (&PageId, &mut Page)> {
        self.list.iter_mut().filter(|(_, page)| page.is_connected())
    }

    pub(crate) fn count(&self) -> usize {
        self.connected().count()
    }
}
