//! The fields of a flow record that mean something here, and the line that is written of them.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Head;
use super::templates::{Template, VARIABLE};

/// Seconds from 1900 to 1970: the time of NTP begins there.
const NTP_EPOCH_S: u64 = 2_208_988_800;

/// Bytes that are taken from the front.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slice<'a>(pub(super) &'a [u8]);

impl<'a> Slice<'a> {
    pub(super) fn take(&mut self, bytes: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or("flow-truncated")?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn u16(&mut self) -> Result<u16, &'static str> {
        self.number(2).map(|number| (number & 0xffff) as u16)
    }

    pub(super) fn u32(&mut self) -> Result<u32, &'static str> {
        self.number(4).map(|number| (number & 0xffff_ffff) as u32)
    }

    fn number(&mut self, bytes: usize) -> Result<u64, &'static str> {
        self.take(bytes).map(number)
    }
}

/// A number of up to eight bytes, big-endian: exporters may leave out leading zeros.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// One flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    source: Option<IpAddr>,
    destination: Option<IpAddr>,
    source_port: u64,
    port: u64,
    protocol: u64,
    bytes: u64,
    packets: u64,
    /// When it began, in milliseconds since 1970.
    started_ms: Option<u64>,
    /// The same, in milliseconds since the exporter started.
    started_uptime: Option<u64>,
    /// When the exporter started, in milliseconds since 1970.
    boot_ms: Option<u64>,
    /// What a firewall did: 3 is "denied".
    event: u64,
    /// One packet in so many: as one number, or as those taken and those left out.
    interval: u64,
    space: u64,
    taken: u64,
}

impl Record {
    /// Reads one record.
    ///
    /// # Errors
    /// The record ends too early.
    pub(super) fn read(template: &Template, rest: &mut Slice<'_>) -> Result<Self, &'static str> {
        let mut record = Self::default();
        for field in &template.fields {
            let bytes = match field.bytes {
                VARIABLE => match rest.take(1)? {
                    [255] => usize::from(rest.u16()?),
                    short => usize::try_from(number(short)).unwrap_or(0),
                },
                bytes => usize::from(bytes),
            };
            let value = rest.take(bytes)?;
            if let Some(element) = field.element {
                record.set(element, value);
            }
        }
        Ok(record)
    }

    /// Numbers of elements are those of the registry of IANA, which version 9 shares.
    fn set(&mut self, element: u16, value: &[u8]) {
        match element {
            8 | 27 => self.source = address(value).or(self.source),
            12 | 28 => self.destination = address(value).or(self.destination),
            _ if value.len() > 8 => {}
            150 => self.started_ms = number(value).checked_mul(1_000),
            152 => self.started_ms = Some(number(value)),
            154 | 156 => self.started_ms = ntp_ms(number(value)),
            22 => self.started_uptime = Some(number(value)),
            160 => self.boot_ms = Some(number(value)),
            _ => self.count(element, number(value)),
        }
    }

    fn count(&mut self, element: u16, value: u64) {
        let place = match element {
            7 | 180 | 182 => &mut self.source_port,
            11 | 181 | 183 => &mut self.port,
            4 => &mut self.protocol,
            1 | 85 => &mut self.bytes,
            2 | 86 => &mut self.packets,
            233 => &mut self.event,
            34 | 50 => &mut self.interval,
            305 => &mut self.taken,
            306 => &mut self.space,
            _ => return,
        };
        // Of a count since the last record and one since the beginning, the larger one.
        *place = value.max(*place);
    }

    /// One packet in so many, when the record says so.
    pub(super) fn sampling(&self) -> Option<u64> {
        let interval = match self.taken {
            0 => self.interval,
            taken => taken.saturating_add(self.space) / taken,
        };
        Some(interval).filter(|interval| *interval > 0)
    }

    /// The line, in the names of IANA. A record without a source says nothing about anybody.
    pub(super) fn line(&self, head: Head, sampling: u64) -> Option<String> {
        let source = self.source?;
        let kind = match head.version {
            5 => "NETFLOW_V5",
            9 => "NETFLOW_V9",
            _ => "IPFIX",
        };
        let mut line = format!("{{\"type\":\"{kind}\",\"{}\":\"{source}\"", name("source", source));
        // Writing to a String cannot fail.
        if let Some(to) = self.destination {
            let _ = write!(line, ",\"{}\":\"{to}\"", name("destination", to));
        }
        let sampling = self.sampling().unwrap_or(sampling);
        for (name, value) in [
            ("sourceTransportPort", self.source_port & 0xffff),
            ("destinationTransportPort", self.port & 0xffff),
            ("protocolIdentifier", self.protocol & 0xff),
            ("octetDeltaCount", self.bytes),
            ("packetDeltaCount", self.packets),
            ("sampling_rate", sampling),
            ("flowStartMilliseconds", self.at_ms(head)),
        ] {
            if value > 0 {
                let _ = write!(line, ",\"{name}\":{value}");
            }
        }
        if self.event == 3 {
            line.push_str(",\"action\":\"denied\"");
        }
        line.push('}');
        Some(line)
    }

    /// When it began; when that is not told, when it was exported.
    fn at_ms(&self, head: Head) -> u64 {
        let exported = u64::from(head.exported) * 1_000;
        let boot = || self.boot_ms.or_else(|| exported.checked_sub(u64::from(head.uptime)));
        let since_boot = || boot()?.checked_add(self.started_uptime?);
        // An uptime of 32 bits turns over after 49 days: what began before is not in the future.
        let since_boot = || match since_boot()? {
            at if at > exported + 1_000 => at.checked_sub(1 << 32),
            at => Some(at),
        };
        self.started_ms.or_else(since_boot).unwrap_or(exported)
    }
}

fn name(end: &str, address: IpAddr) -> String {
    format!("{end}IPv{}Address", if address.is_ipv4() { 4 } else { 6 })
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(|octets| IpAddr::V4(Ipv4Addr::from(octets)));
    let sixteen = || <[u8; 16]>::try_from(bytes).map(|octets| IpAddr::V6(Ipv6Addr::from(octets)));
    four.or_else(|_| sixteen()).ok()
}

/// Seconds since 1900 and a fraction, 32 bits each.
fn ntp_ms(time: u64) -> Option<u64> {
    let seconds = (time >> 32).checked_sub(NTP_EPOCH_S)?;
    Some(seconds * 1_000 + (((time & 0xffff_ffff) * 1_000) >> 32))
}

/// One record of version 5.
///
/// # Errors
/// The datagram ends too early.
pub(super) fn version_5(rest: &mut Slice<'_>) -> Result<Record, &'static str> {
    let mut record = Slice(rest.take(48)?);
    let (source, destination) = (address(record.take(4)?), address(record.take(4)?));
    record.take(8)?;
    let (packets, bytes) = (u64::from(record.u32()?), u64::from(record.u32()?));
    let (started, _ended) = (u64::from(record.u32()?), record.u32()?);
    let (source_port, port) = (u64::from(record.u16()?), u64::from(record.u16()?));
    record.take(2)?;
    let protocol = number(record.take(1)?);
    Ok(Record {
        source,
        destination,
        source_port,
        port,
        protocol,
        bytes,
        packets,
        started_uptime: Some(started),
        ..Record::default()
    })
}
