//! What one worker, or all of them, produced, and the sorted report of it.

use relight_model::{Basis, Component, Digest, Flaw, FlawCode, Purl, Sbom};
use sha2::{Digest as _, Sha256};

use crate::application;
use crate::cache::Record;
use crate::distribution;
use crate::dotnet;
use crate::identity;
use crate::image::Merged;
use crate::java;
use crate::limits::{Mode, Options};
use crate::profile::{self, PROFILES_MAX};
use crate::scan::Report;
use crate::stores;
use crate::unpack::Found;

/// What one worker, or all of them, produced.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) found: Found,
    pub(crate) files: u64,
    pub(crate) bytes_read: u64,
    pub(crate) known: u64,
    /// Bytes of `bytes_read` that were not read now, but when the layers were that are known.
    pub(crate) spared: u64,
    /// Path, size and digest of each file, if asked for.
    pub(crate) digests: Vec<(String, u64, Digest)>,
    /// What upper layers of images hide, if asked for.
    pub(crate) hidden: Vec<Component>,
    /// Which layer each piece of evidence is from.
    pub(crate) layers: Vec<(String, Digest)>,
    /// More classes lie in folders than were kept.
    pub(crate) has_lost_classes: bool,
    /// The profiles had more values than may be kept.
    pub(crate) has_lost_profiles: bool,
    /// An image: its files were counted one by one.
    pub(crate) is_image: bool,
    /// What the image is known by that was scanned, see [`Sbom::images`].
    pub(crate) images: Vec<Purl>,
    /// What is to be kept of layers of images, by its key, if nothing changes meanwhile.
    pub(crate) records: Vec<(Digest, Vec<u8>)>,
}

impl Output {
    /// What the cache knows of one file.
    pub(crate) fn of_record(record: Record) -> Self {
        let Record { found, bytes_read } = record;
        Self { found, bytes_read, files: 1, known: 1, ..Self::default() }
    }

    /// Adds what another worker produced.
    pub(crate) fn merge(&mut self, other: Self) {
        let Self { found, files, bytes_read, known, digests, hidden, layers, images, .. } = other;
        self.records.extend(other.records);
        self.found.merge(found);
        self.files += files;
        self.bytes_read += bytes_read;
        self.known += known;
        self.digests.extend(digests);
        self.hidden.extend(hidden);
        self.layers.extend(layers);
        self.images.extend(images);
    }

    /// Adds an image.
    pub(crate) fn merge_image(&mut self, image: Merged, options: &Options) {
        let Merged { found, hidden, layers, parts, files, known, bytes_read, images, .. } = image;
        let (records, spared) = (image.records, image.spared);
        let hidden = if options.all_layers { hidden } else { Vec::new() };
        let digests = if options.artifact_digest { parts } else { Vec::new() };
        let image = Self { images, found, files, known, bytes_read, digests, ..Self::default() };
        self.merge(Self { hidden, layers, records, ..image });
        self.spared += spared;
        self.is_image = true;
    }

    /// The report of the whole scan.
    pub(crate) fn report(mut self, options: &Options) -> Report {
        let mut found = self.found;
        if options.mode == Mode::Fast {
            // It finds, and it never clears: code may be embedded in anything that was not read.
            found.flaw(FlawCode::ClassesNotRead, "", 0);
        }
        if self.has_lost_classes {
            // Which of them were kept depends on the threads.
            found.folder_classes.clear();
            options.profiles.lost(&mut found);
            found.flaw(FlawCode::LimitMemory, "", 0);
        }
        distribution::leave_unlisted(&mut found.gaps, &found.components);
        found.ownership.leave_unowned(&mut found.gaps);
        dotnet::leave_unlisted(&mut found.gaps);
        for (gap, path) in &found.gaps {
            let (code, evidence) = (gap.code(), path.clone());
            found.flaws.push(Flaw { code, evidence, bytes: 0 });
        }
        java::folders(options, &mut found);
        if self.has_lost_profiles {
            found.profiles.clear();
            options.profiles.lost(&mut found);
        }
        profile::limit(&mut found.profiles, PROFILES_MAX);
        application::leave_installed(&mut found.components);
        found.distributions.apply(&mut found.components);
        found.ownership.apply(&mut found.components);
        let mut sbom = Sbom {
            components: identity::merge(stores::join(found.components)),
            flaws: found.flaws,
            artifact: None,
            images: self.images,
            tool: concat!("relight ", env!("CARGO_PKG_VERSION")).to_owned(),
        };
        sbom.rank_scopes();
        if options.artifact_digest {
            self.digests.sort();
            give_digests(&self.digests, &mut sbom.components);
            let mut hasher = Sha256::new();
            for (path, size, digest) in &self.digests {
                hasher.update(format!("{path}\0{size}\0{digest}\n"));
            }
            sbom.artifact = Some(Digest(hasher.finalize().into()));
        }
        found.warnings.sort();
        found.warnings.dedup();
        found.gaps.sort();
        found.listings.sort_by(|a, b| a.0.cmp(&b.0));
        self.hidden.sort();
        self.hidden.dedup();
        self.layers.sort();
        self.layers.dedup();
        Report {
            sbom,
            warnings: found.warnings,
            files: self.files,
            archives: found.archives,
            deepest: found.deepest,
            bytes_read: self.bytes_read,
            known: self.known,
            gaps: found.gaps,
            file_bytes: found.files,
            member_bytes: found.members,
            listings: found.listings,
            profiles: found.profiles,
            hidden: self.hidden,
            layers: self.layers,
        }
    }
}

/// Says of components that are a file of their own what its digest is. A database or a lock
/// file is no component, but what names many.
fn give_digests(digests: &[(String, u64, Digest)], components: &mut [Component]) {
    let is_list = |basis| matches!(basis, Basis::PackageDatabase | Basis::LockFile);
    for component in components.iter_mut().filter(|it| !is_list(it.basis)) {
        let place = component.evidence.as_str();
        let at = digests.binary_search_by(|(path, ..)| path.as_str().cmp(place));
        if let Some((.., digest)) = at.ok().and_then(|at| digests.get(at)) {
            component.hashes.push(*digest);
            component.hashes.sort();
            component.hashes.dedup();
        }
    }
}
