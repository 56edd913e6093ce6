//! Notices that the editor's process has died, so that no server outlives its editor.

/// Ends when the process does. Never, if it cannot be seen: an editor outside of our container names a process that
/// means nothing here.
pub(super) async fn ended(process: u32) {
    #[cfg(unix)]
    unix::ended(process).await;
    // On other systems the end of the input has to do.
    #[cfg(not(unix))]
    std::future::pending::<()>().await;
}

#[cfg(unix)]
mod unix {
    use std::future::pending;
    use std::time::Duration;

    use rustix::io::Errno;
    use rustix::process::{Pid, test_kill_process};
    use tracing::debug;

    const INTERVAL: Duration = Duration::from_secs(5);

    pub(super) async fn ended(process: u32) {
        let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
        let Some(pid) = pid.filter(|it| is_alive(*it)) else {
            debug!("the editor's process {process} is not visible from here, so it is not watched");
            return pending().await;
        };
        #[cfg(target_os = "linux")]
        if let Some(ended) = descriptor_watch(pid)
            && ended.await.is_ok()
        {
            return;
        }
        ended_by_asking(pid, INTERVAL).await;
    }

    /// The kernel tells us at once, and without mixing up processes that got the same number one after another.
    #[cfg(target_os = "linux")]
    fn descriptor_watch(pid: Pid) -> Option<tokio::sync::oneshot::Receiver<()>> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        use rustix::process::{PidfdFlags, pidfd_open};

        let descriptor = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        let (ended, watch) = tokio::sync::oneshot::channel();
        // A thread, because tokio has no safe way to wait for such a descriptor.
        std::thread::spawn(move || {
            let interval = Timespec { tv_sec: INTERVAL.as_secs() as i64, tv_nsec: 0 };
            while !ended.is_closed() {
                match poll(&mut [PollFd::new(&descriptor, PollFlags::IN)], Some(&interval)) {
                    Ok(0) | Err(Errno::INTR) => {}
                    Ok(_) => {
                        let _ = ended.send(());
                        return;
                    }
                    Err(_) => return,
                }
            }
        });
        Some(watch)
    }

    async fn ended_by_asking(pid: Pid, interval: Duration) {
        while is_alive(pid) {
            tokio::time::sleep(interval).await;
        }
    }

    fn is_alive(pid: Pid) -> bool {
        test_kill_process(pid) != Err(Errno::SRCH)
    }

    #[cfg(test)]
    mod tests {
        use std::process::{Child, Command, Stdio};

        use futures::FutureExt;
        use futures::future::BoxFuture;

        use super::*;

        /// The watch must be on before the process dies: then it is one that never could be seen.
        async fn check(watch: impl FnOnce(&Child) -> BoxFuture<'static, ()>) {
            let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
            let mut watch = watch(&child);
            assert!((&mut watch).now_or_never().is_none());
            child.kill().unwrap();
            child.wait().unwrap();
            watch.await;
        }

        #[tokio::test]
        async fn the_end_of_a_process_is_noticed() {
            check(|child| ended(child.id()).boxed()).await;
        }

        #[tokio::test]
        async fn asking_notices_it_too() {
            check(|child| ended_by_asking(Pid::from_child(child), Duration::from_millis(1)).boxed()).await;
        }

        #[tokio::test]
        async fn a_process_that_cannot_be_seen_never_ends() {
            for process in [0, u32::MAX, i32::MAX as u32] {
                assert!(ended(process).now_or_never().is_none());
            }
        }
    }
}
