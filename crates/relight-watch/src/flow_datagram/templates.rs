//! Templates of one exporter, and the data that came before them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::fields::Slice;
use super::{Head, PENDING_BYTES_MAX, TEMPLATES_MAX};

/// Fields of one template.
const FIELDS_MAX: usize = 512;

/// The length of a field that says itself how long it is (RFC 7011, 7).
pub(super) const VARIABLE: u16 = u16::MAX;

/// What the records of a template are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Flows.
    Data,
    /// The exporter itself: how it samples.
    Options,
}

/// One field of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// Number of the information element; `None` for one of a vendor, or of a scope of version 9.
    pub(super) element: Option<u16>,
    pub(super) bytes: u16,
}

/// How records are laid out.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) kind: Kind,
    pub(super) fields: Vec<Field>,
    /// No record is shorter; at least 1.
    pub(super) bytes_min: usize,
}

/// Data of before its template: the head of its datagram and the set.
type Waiting = Vec<(Head, Vec<u8>)>;

/// See the head of the file.
#[derive(Debug, Default)]
pub(super) struct Templates {
    known: BTreeMap<u16, Arc<Template>>,
    pending: VecDeque<(u16, Head, Vec<u8>)>,
    pending_bytes: usize,
}

impl Templates {
    pub(super) fn get(&self, id: u16) -> Option<Arc<Template>> {
        self.known.get(&id).cloned()
    }

    /// Keeps data until its template comes; the oldest leaves first. Gives how many left.
    pub(super) fn wait(&mut self, id: u16, head: Head, set: &[u8]) -> u64 {
        self.pending_bytes += set.len();
        self.pending.push_back((id, head, set.to_vec()));
        let mut dropped = 0;
        while self.pending_bytes > PENDING_BYTES_MAX {
            let Some((_, _, set)) = self.pending.pop_front() else { break };
            self.pending_bytes -= set.len();
            dropped += 1;
        }
        dropped
    }

    /// Takes every template of a set; gives each with the data that waited for it.
    pub(super) fn learn(
        &mut self,
        version: u16,
        kind: Kind,
        set: &[u8],
    ) -> Result<Vec<(Arc<Template>, Waiting)>, &'static str> {
        let mut rest = Slice(set);
        let mut learnt = Vec::new();
        // What is shorter than the head of a template is padding.
        while rest.0.len() >= 4 {
            let (id, count) = (rest.u16()?, usize::from(rest.u16()?));
            if id < 256 && count > 0 {
                // Padding of zeros, or a number that no data can carry.
                return if id == 0 { Ok(learnt) } else { Err("flow-template") };
            }
            if count == 0 && version == 10 {
                self.withdraw(id);
                continue;
            }
            let template = Arc::new(template(version, kind, count, &mut rest)?);
            if self.known.len() >= TEMPLATES_MAX && !self.known.contains_key(&id) {
                return Err("flow-templates");
            }
            self.known.insert(id, Arc::clone(&template));
            learnt.push((template, self.waiting(id)));
        }
        Ok(learnt)
    }

    /// An exporter takes a template back; the numbers of the sets themselves mean all (RFC 7011).
    fn withdraw(&mut self, id: u16) {
        if id < 256 {
            self.known.clear();
        } else {
            self.known.remove(&id);
        }
    }

    fn waiting(&mut self, id: u16) -> Waiting {
        let (taken, kept): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.pending).into_iter().partition(|(of, ..)| *of == id);
        self.pending = kept;
        let taken: Waiting = taken.into_iter().map(|(_, head, set)| (head, set)).collect();
        self.pending_bytes -= taken.iter().map(|(_, set)| set.len()).sum::<usize>();
        taken
    }
}

fn template(
    version: u16,
    kind: Kind,
    count: usize,
    rest: &mut Slice<'_>,
) -> Result<Template, &'static str> {
    // Options of version 9 count bytes, first those of the scope; IPFIX counts fields.
    let (count, scopes) = match (version, kind) {
        (_, Kind::Data) => (count, 0),
        (9, Kind::Options) => {
            let scopes = count / 4;
            (scopes + usize::from(rest.u16()?) / 4, scopes)
        }
        (_, Kind::Options) => {
            rest.u16()?;
            (count, 0)
        }
    };
    if count > FIELDS_MAX {
        return Err("flow-fields");
    }
    let mut fields = Vec::with_capacity(count);
    for at in 0..count {
        let mut field = field(version, rest)?;
        field.element = field.element.filter(|_| at >= scopes);
        fields.push(field);
    }
    let bytes = |field: &Field| if field.bytes == VARIABLE { 1 } else { usize::from(field.bytes) };
    let bytes_min = fields.iter().map(bytes).sum();
    // Records without a byte would never end.
    if bytes_min == 0 { Err("flow-template") } else { Ok(Template { kind, fields, bytes_min }) }
}

fn field(version: u16, rest: &mut Slice<'_>) -> Result<Field, &'static str> {
    let (element, bytes) = (rest.u16()?, rest.u16()?);
    if version == 10 && element & 0x8000 != 0 {
        rest.u32()?;
        return Ok(Field { element: None, bytes });
    }
    Ok(Field { element: Some(element), bytes })
}
