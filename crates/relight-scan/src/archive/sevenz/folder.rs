//! A folder of a 7z archive: packed streams, coders, and how they are joined.

use std::io::Read;

use relight_formats::limited::LimitedError;
use relight_formats::limited::coding::{
    Coding, Held, Machine, WINDOW_MAX, decoder, join_branches, window_of,
};
use relight_model::FlawCode;

use crate::archive::{Guard, code_of, cost_of, u32_at};
use crate::window::Window;

/// Coders in one folder; 7-Zip itself allows 32 and writes at most 7.
pub(super) const CODERS_MAX: usize = 16;

/// Bytes of all windows of a folder but the widest: the two small streams of branches beside a
/// program have 1 MiB each.
const OTHER_WINDOWS_MAX: u64 = 8 << 20;

/// Bytes of a header that are unpacked between two looks at the clock.
const PIECE_BYTES: u64 = 64 << 10;

/// Method of the filter that joins four streams of a program.
const JOINED: [u8; 4] = [3, 3, 1, 0x1b];

/// One step of unpacking.
#[derive(Clone, Debug, Default)]
pub(super) struct Coder {
    pub(super) method: Vec<u8>,
    pub(super) properties: Vec<u8>,
    pub(super) inputs: usize,
    /// Bytes that come out.
    pub(super) size: u64,
}

/// What several files were packed into.
#[derive(Clone, Debug, Default)]
pub(super) struct Folder {
    pub(super) coders: Vec<Coder>,
    /// Which output feeds which input.
    pub(super) bonds: Vec<(usize, usize)>,
    /// Which inputs are packed streams of the archive, in order.
    pub(super) packed: Vec<usize>,
    /// Where each packed stream is in the archive, and its size.
    pub(super) ranges: Vec<(u64, u64)>,
    /// Check sum of all that comes out.
    pub(super) crc: Option<u32>,
    /// How many files it holds.
    pub(super) files: u64,
}

impl Folder {
    /// The coder whose output is the folder's.
    fn last(&self) -> Option<usize> {
        (0..self.coders.len()).find(|coder| self.bonds.iter().all(|(_, output)| output != coder))
    }

    /// Bytes that come out.
    pub(super) fn size(&self) -> u64 {
        self.last().map_or(0, |last| self.coders[last].size)
    }

    /// What a byte of it counts that is unpacked again, and how many bytes the windows of its
    /// coders may hold together. What is wrong with a coder shows when it is opened.
    pub(super) fn costs(&self) -> Result<(u64, Held), FlawCode> {
        let (mut cost, mut windows, mut widest) = (1, 0_u64, 0);
        let coders = self.coders.iter().filter(|coder| coder.method != JOINED);
        for coding in coders.filter_map(|coder| coder.coding().ok()) {
            let window = match coding {
                // Its frames say how wide theirs are.
                Coding::Zstd => WINDOW_MAX,
                _ => window_of(coding, &[]),
            };
            cost = cost.max(cost_of(coding));
            windows = windows.saturating_add(window);
            widest = widest.max(window);
        }
        if windows - widest > OTHER_WINDOWS_MAX {
            return Err(FlawCode::LimitWindow);
        }
        Ok((cost, Held::all(windows)))
    }

    /// Opens the chain of coders.
    pub(super) fn unpack(&self, window: &Window) -> Result<Box<dyn Read>, FlawCode> {
        let last = self.last().ok_or(FlawCode::CorruptEntry)?;
        let mut used = vec![false; self.coders.len()];
        self.output(last, window, &mut used)
    }

    /// Unpacks a header, of which no coder may give more than `max` to the next one.
    pub(super) fn unpack_header(
        &self,
        window: &Window,
        max: u64,
        guard: &dyn Guard,
    ) -> Result<Vec<u8>, FlawCode> {
        if self.coders.iter().any(|coder| coder.size > max) {
            return Err(FlawCode::LimitMemory);
        }
        let (_, windows) = self.costs()?;
        let mut reader = guard.windowed(self.unpack(window)?, windows).take(self.size());
        let mut bytes = Vec::new();
        loop {
            let read = reader.by_ref().take(PIECE_BYTES).read_to_end(&mut bytes);
            match read.and_then(|read| guard.look(read).map(|()| read)) {
                Ok(0) => return Ok(bytes),
                Ok(_) => {}
                Err(error) => return Err(code_of(&error)),
            }
        }
    }

    /// The output of one coder. Each is used once, so that a ring of them ends; there are at most
    /// [`CODERS_MAX`], which bounds the depth.
    fn output(
        &self,
        number: usize,
        window: &Window,
        used: &mut [bool],
    ) -> Result<Box<dyn Read>, FlawCode> {
        let coder = self.coders.get(number).ok_or(FlawCode::CorruptEntry)?;
        if std::mem::replace(&mut used[number], true) {
            return Err(FlawCode::CorruptEntry);
        }
        let first: usize = self.coders[..number].iter().map(|before| before.inputs).sum();
        let mut inputs = (first..first + coder.inputs)
            .map(|input| self.input(input, window, used))
            .collect::<Result<Vec<_>, _>>()?;
        if coder.method == JOINED {
            return join_branches(inputs, coder.size).map_err(|error| code(&error));
        }
        let input = inputs.pop().filter(|_| inputs.is_empty()).ok_or(FlawCode::CorruptEntry)?;
        let stream = decoder(coder.coding()?, input).map_err(|error| code(&error))?;
        Ok(Box::new(stream.take(coder.size)))
    }

    fn input(
        &self,
        input: usize,
        window: &Window,
        used: &mut [bool],
    ) -> Result<Box<dyn Read>, FlawCode> {
        if let Some((_, output)) = self.bonds.iter().find(|(to, _)| *to == input) {
            return self.output(*output, window, used);
        }
        let at = self.packed.iter().position(|packed| *packed == input);
        let range = at.and_then(|at| self.ranges.get(at)).ok_or(FlawCode::CorruptEntry)?;
        let part = window.part(range.0, range.1);
        if part.len() < range.1 {
            return Err(FlawCode::Truncated);
        }
        Ok(Box::new(part.reader()))
    }
}

impl Coder {
    /// How it packs (Methods.txt of the LZMA SDK).
    fn coding(&self) -> Result<Coding, FlawCode> {
        let properties = &self.properties[..];
        let delta = properties.first().copied().unwrap_or_default();
        Ok(match &self.method[..] {
            [] | [0] => Coding::Plain,
            [3] => Coding::Delta(usize::from(delta) + 1),
            [3, 1, 1] => {
                let props = *properties.first().ok_or(FlawCode::CorruptEntry)?;
                Coding::Lzma(props, u32_at(properties, 1), self.size)
            }
            [3, 4, 1] => {
                let order = *properties.first().ok_or(FlawCode::CorruptEntry)?;
                Coding::Ppmd(order.into(), u32_at(properties, 1))
            }
            [0x21] => Coding::Lzma2(dictionary(delta).ok_or(FlawCode::CorruptEntry)?),
            [4] | [3, 3, 1, 3] => Coding::Branches(Machine::X86),
            [5] | [3, 3, 2, 5] => Coding::Branches(Machine::PowerPc),
            [6] | [3, 3, 4, 1] => Coding::Branches(Machine::Itanium),
            [7] | [3, 3, 5, 1] => Coding::Branches(Machine::Arm),
            [8] | [3, 3, 7, 1] => Coding::Branches(Machine::ArmThumb),
            [9] | [3, 3, 8, 5] => Coding::Branches(Machine::Sparc),
            [0x0a] => Coding::Branches(Machine::Arm64),
            [0x0b] => Coding::Branches(Machine::RiscV),
            [4, 1, 8] => Coding::Deflate,
            [4, 1, 9] => Coding::Deflate64,
            [4, 2, 2] => Coding::Bzip2,
            [4, 0xf7, 0x11, 1] => Coding::Zstd,
            [4, 0xf7, 0x11, 4] => Coding::Lz4,
            // AES-256, and the ciphers of zip and rar.
            [6, 0xf1, ..] => return Err(FlawCode::Encrypted),
            _ => return Err(FlawCode::MethodUnsupported),
        })
    }
}

/// The dictionary of LZMA2: one byte for sizes of 2^n and 3·2^(n-1).
fn dictionary(code: u8) -> Option<u32> {
    match code {
        0..40 => Some((2 | u32::from(code) & 1) << (code / 2 + 11)),
        40 => Some(u32::MAX),
        _ => None,
    }
}

fn code(error: &LimitedError) -> FlawCode {
    match error {
        LimitedError::Limit(_) => FlawCode::LimitExpanded,
        LimitedError::Window => FlawCode::LimitWindow,
        LimitedError::Truncated => FlawCode::Truncated,
        LimitedError::Io(error) => code_of(error),
        LimitedError::Corrupt(_) => FlawCode::CorruptEntry,
    }
}
