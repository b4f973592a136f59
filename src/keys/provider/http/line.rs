//! Connections that never block: whoever owns the process waits for the socket ([`Patience`]).
//!
//! `ureq`'s own resolver starts threads, and its own sockets swallow the signal of a cancel.

use std::fmt;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::Timeout;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
};

/// Longer than any limit that can be set; keeps sums of times in range.
const FOREVER: Duration = Duration::from_secs(3600);

/// How many addresses of one name are tried.
const MOST_ADDRESSES: usize = 4;

/// What came of waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// The socket can be used.
    Ready,
    /// The time is up.
    TimedOut,
    /// The statement is to end.
    Interrupted,
}

/// How this process waits: a backend by its latch, a test by `poll`.
pub trait Patience: fmt::Debug + Send + Sync + 'static {
    /// Waits until a socket can be written (`write`) or read, or just waits where there is none.
    fn wait(&self, socket: Option<BorrowedFd<'_>>, write: bool, longest: Duration) -> Waited;
}

/// Looks names up in this thread: `getaddrinfo` keeps its own time limits (`RES_OPTIONS`).
#[derive(Debug)]
pub(super) struct InThread {
    hostaddr: Option<IpAddr>,
}

impl InThread {
    /// With an address, no name is looked up.
    pub(super) fn new(hostaddr: Option<IpAddr>) -> Self {
        Self { hostaddr }
    }
}

impl Resolver for InThread {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().ok_or(ureq::Error::HostNotFound)?;
        let plain = uri.scheme_str() == Some("http");
        let port = uri.port_u16().unwrap_or(if plain { 80 } else { 443 });
        let mut addresses = self.empty();
        if let Some(address) = self.hostaddr {
            addresses.push(SocketAddr::new(address, port));
            return Ok(addresses);
        }
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let found = (host, port)
            .to_socket_addrs()
            .map_err(|_| ureq::Error::HostNotFound)?;
        // "localhost" is what a hosts file says. A proxy gets nothing but the name of the target.
        let anywhere = !plain || config.proxy().is_some();
        let found = found.filter(|found| anywhere || stays_here(found.ip()));
        for address in found.take(MOST_ADDRESSES) {
            addresses.push(address);
        }
        if addresses.is_empty() {
            return Err(ureq::Error::HostNotFound);
        }
        Ok(addresses)
    }
}

/// Loopback, and the link-local addresses at which clouds give a machine its identity.
pub(super) fn stays_here(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_link_local(),
        IpAddr::V6(address) => {
            address.is_loopback()
                || ["fd00:ec2::254", "fd00:ec2::23"]
                    .iter()
                    .any(|known| known.parse() == Ok(address))
        }
    }
}

/// Opens sockets that never block.
#[derive(Debug)]
pub(super) struct Dial(Arc<dyn Patience>);

impl Dial {
    pub(super) fn new(patience: Arc<dyn Patience>) -> Self {
        Self(patience)
    }
}

impl<In: Transport> Connector<In> for Dial {
    type Out = Either<In, Line>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        if let Some(chained) = chained {
            return Ok(Some(Either::A(chained)));
        }
        let (stream, limit) = self.first(&details.addrs, details.timeout)?;
        let config = details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Some(Either::B(Line {
            stream,
            buffers,
            limit,
            patience: Arc::clone(&self.0),
        })))
    }
}

impl Dial {
    /// A connection to the first address that takes one.
    pub(super) fn first(
        &self,
        addresses: &[SocketAddr],
        timeout: NextTimeout,
    ) -> Result<(TcpStream, Limit), ureq::Error> {
        let limit = Limit::new(timeout);
        let mut last = ureq::Error::HostNotFound;
        for (place, address) in addresses.iter().enumerate() {
            // The time left is shared among the addresses that are left.
            let sharers = u32::try_from(addresses.len() - place).unwrap_or(1);
            let until = Instant::now() + limit.left() / sharers;
            match self.dial(*address, until, limit.reason) {
                Ok(stream) => return Ok((stream, limit)),
                Err(ureq::Error::Io(error)) if is_interrupt(&error) => return Err(error.into()),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn dial(
        &self,
        address: SocketAddr,
        until: Instant,
        reason: Timeout,
    ) -> Result<TcpStream, ureq::Error> {
        use rustix::io::Errno;
        use socket2::{Domain, Protocol, Socket, Type};
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        match socket.connect(&address.into()) {
            Err(error) if error.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error()) => {
                return Err(error.into());
            }
            _ => {}
        }
        loop {
            let left = until.saturating_duration_since(Instant::now());
            ready(&*self.0, socket.as_fd(), true, left, reason)?;
            if let Some(error) = socket.take_error()? {
                return Err(error.into());
            }
            // Whoever waits may be woken by something else.
            match socket.peer_addr() {
                Ok(_) => return Ok(socket.into()),
                Err(error) if error.kind() == std::io::ErrorKind::NotConnected => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// When the step that began with a connection must be over: `ureq` gives a proxy that dawdles the
/// whole time anew for every byte.
#[derive(Clone, Copy)]
pub(super) struct Limit {
    until: Instant,
    reason: Timeout,
}

impl Limit {
    fn new(timeout: NextTimeout) -> Self {
        Self {
            until: Instant::now() + (*timeout.after).min(FOREVER),
            reason: timeout.reason,
        }
    }

    fn left(self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// The nearer one of this limit and of one that was given for the same reason.
    fn with(self, timeout: NextTimeout) -> Self {
        let given = Self::new(timeout);
        if given.reason == self.reason && self.until < given.until {
            self
        } else {
            given
        }
    }
}

/// One connection.
pub(super) struct Line {
    stream: TcpStream,
    buffers: LazyBuffers,
    limit: Limit,
    patience: Arc<dyn Patience>,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line(..)")
    }
}

impl Transport for Line {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let limit = self.limit.with(timeout);
        let mut sent = 0;
        while sent < amount {
            let rest = &self.buffers.output()[sent..amount];
            match (&self.stream).write(rest) {
                Ok(0) => return Err(std::io::Error::from(std::io::ErrorKind::WriteZero).into()),
                Ok(written) => sent += written,
                Err(error) if is_passing(&error) => {
                    let socket = self.stream.as_fd();
                    ready(&*self.patience, socket, true, limit.left(), limit.reason)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let limit = self.limit.with(timeout);
        loop {
            // Waiting first: whoever talks without a pause must not keep a cancel or the deadline
            // from being seen.
            let socket = self.stream.as_fd();
            ready(&*self.patience, socket, false, limit.left(), limit.reason)?;
            match (&self.stream).read(self.buffers.input_append_buf()) {
                Ok(amount) => {
                    self.buffers.input_appended(amount);
                    return Ok(amount > 0);
                }
                Err(error) if is_passing(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn is_open(&mut self) -> bool {
        // Connections are not kept.
        false
    }
}

fn is_passing(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{Interrupted, WouldBlock};
    matches!(error.kind(), Interrupted | WouldBlock)
}

fn ready(
    patience: &dyn Patience,
    socket: BorrowedFd<'_>,
    write: bool,
    longest: Duration,
    reason: Timeout,
) -> Result<(), ureq::Error> {
    if longest.is_zero() {
        return Err(ureq::Error::Timeout(reason));
    }
    match patience.wait(Some(socket), write, longest) {
        Waited::Ready => Ok(()),
        Waited::TimedOut => Err(ureq::Error::Timeout(reason)),
        Waited::Interrupted => Err(std::io::Error::other(Interrupt).into()),
    }
}

/// Passed through `ureq` and TLS as the cause of a failed read or write.
#[derive(Debug)]
struct Interrupt;

impl fmt::Display for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupt {}

/// Whether an error is an [`Interrupt`], however deeply wrapped.
pub(super) fn is_interrupt(error: &std::io::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = error.get_ref().map(|e| e as _);
    while let Some(error) = cause {
        if error.is::<Interrupt>() {
            return true;
        }
        if let Some(ureq::Error::Io(inner)) = error.downcast_ref::<ureq::Error>()
            && is_interrupt(inner)
        {
            return true;
        }
        if let Some(inner) = error.downcast_ref::<std::io::Error>()
            && is_interrupt(inner)
        {
            return true;
        }
        cause = error.source();
    }
    false
}
