//! Flow records in datagrams (NetFlow 5 and 9, IPFIX) to lines of the format `ipfix_json`.
//!
//! Templates may come after the data that they describe, so data waits for them, within limits.
//! Nothing of a datagram is believed: every length is checked, every table has a most.

mod fields;
mod templates;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::IpAddr;

use fields::{Record, Slice};
use templates::{Kind, Template, Templates};

/// Exporters that are known at a time: address, version and observation domain. Another one is
/// refused until the program starts again, so that a flood of made-up exporters holds no memory.
pub const EXPORTERS_MAX: usize = 1_024;

/// Templates of one exporter.
pub const TEMPLATES_MAX: usize = 4_096;

/// Bytes of data of one exporter that wait for their template.
pub const PENDING_BYTES_MAX: usize = 256 << 10;

/// A sequence that jumps further than this is a new life of its exporter, not a loss.
const LOSS_MAX: u32 = 1 << 20;

/// What became of the datagrams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowTally {
    /// Datagrams taken.
    pub datagrams: u64,
    /// Flow records written as lines.
    pub records: u64,
    /// Sets of data that waited for their template and were read then.
    pub waited: u64,
    /// Sets of data that were dropped while they waited.
    pub dropped: u64,
    /// Flows (version 5, IPFIX) or datagrams (version 9) that never came, by their sequence.
    pub lost: u64,
    /// Datagrams, or the rest of one, that could not be read, by code.
    pub refused: BTreeMap<&'static str, u64>,
}

/// Who sends flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Exporter {
    address: IpAddr,
    version: u16,
    domain: u32,
}

/// What is known of one exporter.
#[derive(Debug, Default)]
struct State {
    templates: Templates,
    /// The number that the next datagram should carry.
    next: Option<u32>,
    /// One packet in so many was counted, when the exporter said so.
    sampling: u64,
}

/// The times and the name that a datagram gives to all of its records.
#[derive(Clone, Copy, Debug)]
struct Head {
    version: u16,
    /// Seconds.
    exported: u32,
    /// Milliseconds since the exporter started, at `exported`; 0 in IPFIX.
    uptime: u32,
}

/// Reads datagrams of many exporters.
#[derive(Debug, Default)]
pub struct FlowDecoder {
    exporters: BTreeMap<Exporter, State>,
    tally: FlowTally,
}

impl FlowDecoder {
    /// Knows no exporter yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What became of the datagrams so far.
    pub const fn tally(&self) -> &FlowTally {
        &self.tally
    }

    /// Takes one datagram and gives a line for each flow in it, and for each flow of before that
    /// waited for a template in it.
    pub fn take(&mut self, from: IpAddr, datagram: &[u8]) -> Vec<String> {
        self.tally.datagrams += 1;
        let mut lines = Vec::new();
        if let Err(code) = self.read(from.to_canonical(), datagram, &mut lines) {
            *self.tally.refused.entry(code).or_insert(0) += 1;
        }
        self.tally.records += lines.len() as u64;
        lines
    }

    fn read(
        &mut self,
        from: IpAddr,
        datagram: &[u8],
        lines: &mut Vec<String>,
    ) -> Result<(), &'static str> {
        let mut rest = Slice(datagram);
        match rest.u16()? {
            5 => self.version_5(from, rest, lines),
            9 => self.version_9(from, rest, lines),
            10 => self.ipfix(from, datagram.len(), rest, lines),
            _ => Err("flow-version"),
        }
    }

    fn version_5(
        &mut self,
        address: IpAddr,
        mut rest: Slice<'_>,
        lines: &mut Vec<String>,
    ) -> Result<(), &'static str> {
        let count = rest.u16()?;
        let (uptime, exported, _nanoseconds) = (rest.u32()?, rest.u32()?, rest.u32()?);
        let (sequence, engine, sampling) = (rest.u32()?, rest.u16()?, rest.u16()?);
        let head = Head { version: 5, exported, uptime };
        let exporter = Exporter { address, version: 5, domain: u32::from(engine) };
        let state = state_of(&mut self.exporters, exporter)?;
        self.tally.lost += state.missing(sequence);
        state.next = Some(sequence.wrapping_add(u32::from(count)));
        // The two bits above say how it was sampled.
        state.sampling = u64::from(sampling & 0x3fff);
        for _ in 0..count {
            let record = fields::version_5(&mut rest)?;
            lines.extend(record.line(head, state.sampling));
        }
        if rest.0.is_empty() { Ok(()) } else { Err("flow-trailing") }
    }

    fn version_9(
        &mut self,
        address: IpAddr,
        mut rest: Slice<'_>,
        lines: &mut Vec<String>,
    ) -> Result<(), &'static str> {
        let (_count, uptime, exported) = (rest.u16()?, rest.u32()?, rest.u32()?);
        let (sequence, domain) = (rest.u32()?, rest.u32()?);
        let state = state_of(&mut self.exporters, Exporter { address, version: 9, domain })?;
        self.tally.lost += state.missing(sequence);
        state.next = Some(sequence.wrapping_add(1));
        let head = Head { version: 9, exported, uptime };
        sets(state, head, rest, lines, &mut self.tally)?;
        Ok(())
    }

    fn ipfix(
        &mut self,
        address: IpAddr,
        bytes: usize,
        mut rest: Slice<'_>,
        lines: &mut Vec<String>,
    ) -> Result<(), &'static str> {
        let length = usize::from(rest.u16()?);
        let (exported, sequence, domain) = (rest.u32()?, rest.u32()?, rest.u32()?);
        if length != bytes {
            return Err("flow-length");
        }
        let state = state_of(&mut self.exporters, Exporter { address, version: 10, domain })?;
        self.tally.lost += state.missing(sequence);
        // Counted from the records of this datagram: unknown where some of them wait.
        state.next = None;
        let head = Head { version: 10, exported, uptime: 0 };
        if let Some(records) = sets(state, head, rest, lines, &mut self.tally)? {
            state.next = Some(sequence.wrapping_add(records));
        }
        Ok(())
    }
}

/// The state of an exporter, a new one within the limit.
fn state_of(
    exporters: &mut BTreeMap<Exporter, State>,
    exporter: Exporter,
) -> Result<&mut State, &'static str> {
    if exporters.len() >= EXPORTERS_MAX && !exporters.contains_key(&exporter) {
        return Err("flow-exporters");
    }
    Ok(exporters.entry(exporter).or_default())
}

/// Every set of a datagram. Gives the number of records, or `None` when some of them wait.
fn sets(
    state: &mut State,
    head: Head,
    mut rest: Slice<'_>,
    lines: &mut Vec<String>,
    tally: &mut FlowTally,
) -> Result<Option<u32>, &'static str> {
    let mut records = Some(0_u32);
    while !rest.0.is_empty() {
        let (id, length) = (rest.u16()?, usize::from(rest.u16()?));
        let set = rest.take(length.checked_sub(4).ok_or("flow-length")?)?;
        let kind = match (head.version, id) {
            (9, 0) | (10, 2) => Kind::Data,
            (9, 1) | (10, 3) => Kind::Options,
            (_, 256..) => {
                records = match state.data(head, id, set, lines, tally) {
                    Some(count) => records.map(|sum| sum.wrapping_add(count)),
                    None => None,
                };
                continue;
            }
            // Ids that no version gave a meaning yet.
            _ => continue,
        };
        for (learnt, waiting) in state.templates.learn(head.version, kind, set)? {
            for (head, set) in waiting {
                tally.waited += 1;
                state.records(&learnt, head, Slice(&set), lines);
            }
        }
    }
    Ok(records)
}

impl State {
    /// How many never came before this number.
    fn missing(&self, sequence: u32) -> u64 {
        let gap = self.next.map_or(0, |next| sequence.wrapping_sub(next));
        if gap < LOSS_MAX { u64::from(gap) } else { 0 }
    }

    /// One set of data: read, or kept until its template comes.
    fn data(
        &mut self,
        head: Head,
        id: u16,
        set: &[u8],
        lines: &mut Vec<String>,
        tally: &mut FlowTally,
    ) -> Option<u32> {
        let Some(template) = self.templates.get(id) else {
            tally.dropped += self.templates.wait(id, head, set);
            return None;
        };
        Some(self.records(&template, head, Slice(set), lines))
    }

    /// Every record of a set; what is left behind the last one is padding.
    fn records(
        &mut self,
        template: &Template,
        head: Head,
        mut set: Slice<'_>,
        lines: &mut Vec<String>,
    ) -> u32 {
        let mut records = 0;
        while !set.0.is_empty() && set.0.len() >= template.bytes_min {
            let Ok(record) = Record::read(template, &mut set) else { break };
            records += 1;
            match template.kind {
                Kind::Data => lines.extend(record.line(head, self.sampling)),
                Kind::Options => self.sampling = record.sampling().unwrap_or(self.sampling),
            }
        }
        records
    }
}
