//! Listening, on loopback only, and serving what connects.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::{ConnectInfo, Request};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tower::ServiceExt;

/// How many ports after the wanted one are tried.
const NEXT_PORTS: u16 = 50;

/// Loopback, under both its addresses where the machine has both, on one port.
#[derive(Debug)]
pub struct Listeners {
    pub port: u16,
    listeners: Vec<TcpListener>,
}

/// What one connection may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub connections: usize,
    /// The time for the head of a request; also how long an idle connection is kept.
    pub head_timeout: Duration,
    pub head_size: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { connections: 1024, head_timeout: Duration::from_secs(30), head_size: 64 << 10 }
    }
}

/// Listens on `port`, or on the first free one of the next fifty; on any free port if `port` is 0.
///
/// A port that is free on one of loopback's addresses only is taken: browsers would find the other program behind
/// `localhost`.
pub async fn bind(port: u16) -> anyhow::Result<Listeners> {
    let last = port.saturating_add(NEXT_PORTS);
    let mut candidates = if port == 0 { vec![0; usize::from(NEXT_PORTS)] } else { (port..=last).collect() };
    candidates.reverse();
    while let Some(candidate) = candidates.pop() {
        match listen(candidate).await {
            Ok(listeners) => return Ok(listeners),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => tracing::info!("port {candidate} is taken"),
            Err(error) => return Err(error).with_context(|| format!("port {candidate} cannot be opened")),
        }
    }
    anyhow::bail!("the ports {port} to {last} are all taken")
}

async fn listen(port: u16) -> io::Result<Listeners> {
    let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let port = v4.local_addr()?.port();
    match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
        Ok(v6) => Ok(Listeners { port, listeners: vec![v4, v6] }),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(error),
        // A machine without IPv6.
        Err(_) => Ok(Listeners { port, listeners: vec![v4] }),
    }
}

/// Serves until it is dropped, and with it all connections.
pub async fn serve(listeners: Listeners, app: Router, limits: Limits) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut loops = JoinSet::new();
    for listener in listeners.listeners {
        loops.spawn(accept(listener, app.clone(), limits, places.clone()));
    }
    while loops.join_next().await.is_some() {}
}

async fn accept(listener: TcpListener, app: Router, limits: Limits, places: Arc<Semaphore>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Usually too many open files: it passes, or it does not, but asking again at once is no help.
                tracing::warn!("a connection could not be accepted: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else { continue };
        let app = app.clone();
        connections.spawn(async move {
            connection(stream, address, app, limits).await;
            drop(place);
        });
    }
}

async fn connection(stream: TcpStream, address: SocketAddr, app: Router, limits: Limits) {
    // A push is one small packet that must not wait for the next.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("TCP_NODELAY could not be set: {error}");
    }
    let app = app.map_request(move |mut request: Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(address));
        request.map(axum::body::Body::new)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_header_size(limits.head_size)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app))
        .with_upgrades()
        .await;
    if let Err(error) = served {
        tracing::debug!("the connection from {address} ended: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::testing::Served;
    use super::*;

    #[tokio::test]
    async fn any_port_on_loopback_only() {
        let listeners = bind(0).await.expect("a free port");
        assert_ne!(listeners.port, 0);
        for listener in &listeners.listeners {
            let address = listener.local_addr().expect("it is bound");
            assert!(address.ip().is_loopback() && address.port() == listeners.port, "{address}");
        }
    }

    #[tokio::test]
    async fn the_next_free_port_is_taken() {
        let first = bind(0).await.expect("a free port");
        let second = bind(first.port).await.expect("a free port");
        assert!(
            second.port > first.port && second.port <= first.port + NEXT_PORTS,
            "{} after {}",
            second.port,
            first.port
        );
    }

    #[tokio::test]
    async fn a_port_that_is_taken_under_one_address_is_taken() {
        let Ok(v6) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await else { return };
        let port = v6.local_addr().expect("it is bound").port();
        assert_ne!(bind(port).await.expect("a free port").port, port);
    }

    #[tokio::test]
    async fn the_last_ports_are_no_trap() {
        // Port 65535 has no next one; either it is free or the answer says what is wrong.
        if let Err(error) = bind(u16::MAX).await {
            assert_eq!(error.to_string(), "the ports 65535 to 65535 are all taken");
        }
    }

    #[test]
    fn half_a_request_does_not_keep_its_connection() {
        let served = Served::with_limits(Limits { head_timeout: Duration::from_millis(50), ..Limits::default() });
        let answer = served.raw(b"GET / HTTP/1.1\r\nHost: localh");
        assert!(matches!(answer.status, 0 | 408), "{}", answer.status);
        served.assert_alive();
    }

    #[test]
    fn connections_have_a_limit_and_places_come_back() {
        let served = Served::with_limits(Limits { connections: 2, ..Limits::default() });
        let mut kept: Vec<_> = (0..2).map(|_| served.connect()).collect();
        for stream in &mut kept {
            // An answer proves that the connection has its place.
            stream
                .write_all(format!("GET /main.js HTTP/1.1\r\nHost: {}\r\n\r\n", served.host()).as_bytes())
                .expect("it listens");
            std::io::Read::read_exact(stream, &mut [0; 12]).expect("an answer");
        }
        assert_eq!(served.raw(b"GET / HTTP/1.1\r\n\r\n").status, 0);
        drop(kept);
        let ask = || {
            served
                .raw(format!("GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", served.host()).as_bytes())
                .status
        };
        assert!((0..10_000).any(|_| ask() == 200), "the places did not come back");
    }

    #[test]
    fn pages_reach_us_under_both_addresses() {
        let served = Served::new();
        let Ok(mut v6) = std::net::TcpStream::connect((Ipv6Addr::LOCALHOST, served.config.port)) else { return };
        let host = format!("[::1]:{}", served.config.port);
        v6.write_all(
            format!("GET / HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nConnection: close\r\n\r\n").as_bytes(),
        )
        .expect("it listens");
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut v6, &mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}
