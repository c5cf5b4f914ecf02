//! Datagrams of flows: layouts, waiting, limits, lies and damage.

use testkit::Rng;

use super::*;
use crate::parsers::{Feed, named};

const FROM: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 250));

/// 2021-12-10T02:05:58Z.
const EXPORTED: u32 = 1_639_101_958;

fn bytes(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

fn words(words: &[u16]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn set(id: u16, body: &[u8]) -> Vec<u8> {
    bytes(&[&words(&[id, u16::try_from(body.len() + 4).unwrap()]), body])
}

fn version_9(sequence: u32, sets: &[Vec<u8>]) -> Vec<u8> {
    let head = [600_000, EXPORTED, sequence, 7].map(u32::to_be_bytes).concat();
    bytes(&[&words(&[9, 1]), &head, &sets.concat()])
}

fn ipfix(sequence: u32, sets: &[Vec<u8>]) -> Vec<u8> {
    let sets = sets.concat();
    let head = [EXPORTED, sequence, 7].map(u32::to_be_bytes).concat();
    bytes(&[&words(&[10, u16::try_from(16 + sets.len()).unwrap()]), &head, &sets])
}

/// Source, destination, ports, protocol, bytes in three bytes instead of eight.
const FIELDS: [u16; 14] = [8, 4, 12, 4, 7, 2, 11, 2, 4, 1, 1, 3, 22, 4];

fn template(id: u16) -> Vec<u8> {
    bytes(&[&words(&[id, 7]), &words(&FIELDS)])
}

fn flow(port: u16) -> Vec<u8> {
    let addresses = [198, 51, 100, 7, 192, 0, 2, 1];
    bytes(&[&addresses, &words(&[50_000, port]), &[6, 1, 0, 0], &540_000_u32.to_be_bytes()])
}

const LINE: &str = "{\"type\":\"NETFLOW_V9\",\"sourceIPv4Address\":\"198.51.100.7\",\
    \"destinationIPv4Address\":\"192.0.2.1\",\"sourceTransportPort\":50000,\
    \"destinationTransportPort\":443,\"protocolIdentifier\":6,\"octetDeltaCount\":65536,\
    \"flowStartMilliseconds\":1639101898000}";

#[test]
fn a_record_is_a_line_that_the_parser_reads() {
    let mut decoder = FlowDecoder::new();
    let datagram = version_9(1, &[set(0, &template(256)), set(256, &flow(443))]);
    let lines = decoder.take(FROM, &datagram);
    assert_eq!(lines, [LINE]);
    let feed = Feed::default();
    let event = named("ipfix_json").unwrap().parse(&feed, &lines[0]).unwrap();
    assert_eq!((event.at, event.port, event.protocol), (1_639_101_898, 443, 6));
    assert_eq!((event.bytes_in, event.unknown), (65_536, 0));
    assert_eq!(event.source.to_string(), "198.51.100.7");
}

#[test]
fn version_5_with_sampling_and_what_a_sequence_misses() {
    let record = bytes(&[
        &[198, 51, 100, 7, 192, 0, 2, 1],
        &[0; 8],
        &[3_u32, 180, 540_000, 540_100].map(u32::to_be_bytes).concat(),
        &words(&[50_000, 22]),
        &[0, 2, 6, 0],
        &[0; 8],
    ]);
    let datagram = |sequence: u32, records: &[u8]| {
        let head = [600_000, EXPORTED, 0, sequence].map(u32::to_be_bytes).concat();
        let count = u16::try_from(records.len() / 48).unwrap();
        bytes(&[&words(&[5, count]), &head, &words(&[0, 0x4064]), records])
    };
    let mut decoder = FlowDecoder::new();
    let lines = decoder.take(FROM, &datagram(100, &record.repeat(2)));
    assert_eq!(lines.len(), 2);
    assert!(lines[0].contains("\"packetDeltaCount\":3,\"sampling_rate\":100"), "{}", lines[0]);
    assert!(lines[0].contains("\"octetDeltaCount\":180"), "{}", lines[0]);
    decoder.take(FROM, &datagram(105, &record));
    assert_eq!(decoder.tally().lost, 3);
    // An exporter that starts again has lost nothing.
    decoder.take(FROM, &datagram(0, &record));
    assert_eq!(decoder.tally().lost, 3);
    let short = &datagram(1, &record)[..60];
    assert_eq!(decoder.take(FROM, short), Vec::<String>::new());
    assert_eq!(decoder.tally().refused, BTreeMap::from([("flow-truncated", 1)]));
}

#[test]
fn data_waits_for_its_template() {
    let mut decoder = FlowDecoder::new();
    assert_eq!(decoder.take(FROM, &ipfix(0, &[set(256, &flow(443).repeat(2))])).len(), 0);
    // Another exporter's template is not ours.
    let other = IpAddr::from([192, 0, 2, 251]);
    assert_eq!(decoder.take(other, &ipfix(0, &[set(2, &template(256))])).len(), 0);
    let lines = decoder.take(FROM, &ipfix(2, &[set(2, &template(256)), set(256, &flow(22))]));
    assert_eq!(lines.len(), 3);
    assert_eq!((decoder.tally().waited, decoder.tally().records), (1, 3));
    decoder.take(FROM, &ipfix(9, &[set(256, &flow(22))]));
    assert_eq!(decoder.tally().lost, 6);
}

#[test]
fn what_waits_is_bounded_and_the_oldest_leaves() {
    let mut decoder = FlowDecoder::new();
    let large = flow(1).repeat(1_000);
    let sets = PENDING_BYTES_MAX / large.len() + 3;
    for sequence in 0..sets {
        decoder.take(FROM, &version_9(u32::try_from(sequence).unwrap(), &[set(300, &large)]));
    }
    assert_eq!(decoder.tally().dropped, 3);
    let lines = decoder.take(FROM, &version_9(99, &[set(0, &template(300))]));
    assert_eq!(lines.len(), (sets - 3) * 1_000);
}

#[test]
fn templates_and_exporters_are_bounded() {
    let mut decoder = FlowDecoder::new();
    for first in (0..TEMPLATES_MAX + 1).step_by(512) {
        let last = (first + 512).min(TEMPLATES_MAX + 1);
        let many: Vec<u8> =
            (first..last).flat_map(|id| template(256 + u16::try_from(id).unwrap())).collect();
        decoder.take(FROM, &ipfix(0, &[set(2, &many)]));
    }
    assert_eq!(decoder.tally().refused, BTreeMap::from([("flow-templates", 1)]));
    for exporter in 0..u32::try_from(EXPORTERS_MAX).unwrap() {
        decoder.take(IpAddr::V4(exporter.into()), &ipfix(0, &[]));
    }
    assert_eq!(decoder.tally().refused["flow-exporters"], 1, "one was there before");
}

#[test]
fn an_exporter_says_how_it_samples() {
    let mut decoder = FlowDecoder::new();
    // Version 9: a scope of four bytes, then the interval in two.
    let options = bytes(&[&words(&[257, 4, 4]), &words(&[1, 4, 34, 2])]);
    let told = bytes(&[&[0; 4], &words(&[512])]);
    let sets = [set(1, &options), set(257, &told), set(0, &template(256)), set(256, &flow(443))];
    let lines = decoder.take(FROM, &version_9(1, &sets));
    assert!(lines[0].contains("\"sampling_rate\":512"), "{lines:?}");
    // IPFIX: one packet taken, 99 left out.
    let options = bytes(&[&words(&[258, 2, 1]), &words(&[305, 4, 306, 4])]);
    let told = [1_u32, 99].map(u32::to_be_bytes).concat();
    let sets = [set(3, &options), set(258, &told), set(2, &template(256)), set(256, &flow(443))];
    let lines = decoder.take(FROM, &ipfix(1, &sets));
    assert!(lines[0].contains("\"sampling_rate\":100"), "{lines:?}");
}

#[test]
fn fields_of_vendors_and_of_any_length_are_passed_over() {
    let fields =
        bytes(&[&words(&[0x8001, 65_535]), &9_u32.to_be_bytes(), &words(&[27, 16, 233, 1])]);
    let templates = bytes(&[&words(&[256, 3]), &fields]);
    let address = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
    let short = bytes(&[&[3], b"abc", &address, &[3]]);
    let long = bytes(&[&[255, 1, 0], &[b'x'; 256], &address, &[1]]);
    let mut decoder = FlowDecoder::new();
    let sets = [set(2, &templates), set(256, &bytes(&[&short, &long]))];
    let lines = decoder.take(FROM, &ipfix(0, &sets));
    assert_eq!(lines.len(), 2);
    assert!(lines[0].contains("\"sourceIPv6Address\":\"2001:db8::9\""), "{lines:?}");
    assert!(lines[0].ends_with("\"action\":\"denied\"}"), "{lines:?}");
    assert!(!lines[1].contains("action"), "{lines:?}");
    let feed = Feed::default();
    let event = named("ipfix_json").unwrap().parse(&feed, &lines[0]).unwrap();
    assert_eq!(event.outcome, relight_model::Outcome::Dropped);
}

#[test]
fn a_template_can_be_taken_back_and_changed() {
    let mut decoder = FlowDecoder::new();
    decoder.take(FROM, &ipfix(0, &[set(2, &template(256))]));
    decoder.take(FROM, &ipfix(0, &[set(2, &words(&[256, 0]))]));
    assert_eq!(decoder.take(FROM, &ipfix(0, &[set(256, &flow(1))])).len(), 0);
    let other = bytes(&[&words(&[256, 2]), &words(&[8, 4, 999, 16])]);
    assert_eq!(decoder.take(FROM, &ipfix(0, &[set(2, &other)])).len(), 1, "read as it is told now");
}

/// Records without a byte, sets that lie about their length, ids without a meaning.
#[test]
fn lies_end() {
    let empty = bytes(&[&words(&[256, 1]), &words(&[8, 0])]);
    let lie = words(&[256, 3]);
    let odd = set(77, &[1, 2, 3]);
    for (sets, code) in [
        (set(2, &empty), Some("flow-template")),
        (lie, Some("flow-length")),
        (odd, None),
        (words(&[256, 900]), Some("flow-truncated")),
        (set(2, &words(&[300, 600])), Some("flow-fields")),
        (set(2, &words(&[100, 1, 8, 4])), Some("flow-template")),
    ] {
        let mut decoder = FlowDecoder::new();
        decoder.take(FROM, &ipfix(0, &[sets]));
        assert_eq!(decoder.tally().refused.keys().next().copied(), code);
    }
    let mut decoder = FlowDecoder::new();
    for datagram in [&b""[..], b"\0", b"\0\x04abcdef", b"\0\x0a\0\x10"] {
        decoder.take(FROM, datagram);
    }
    assert_eq!(decoder.tally().refused.values().sum::<u64>(), 4);
}

#[test]
fn damaged_datagrams_never_end_the_program() {
    let sets = [set(2, &template(256)), set(256, &flow(443).repeat(3))];
    let (nine, ten) =
        (version_9(1, &[set(0, &template(256)), set(256, &flow(2))]), ipfix(1, &sets));
    let mut rng = Rng::new(11);
    let mut decoder = FlowDecoder::new();
    for _ in 0..20_000 {
        let mut datagram = if rng.next().is_multiple_of(2) { nine.clone() } else { ten.clone() };
        for _ in 0..1 + rng.next() % 4 {
            let at = usize::try_from(rng.next()).unwrap_or(0) % datagram.len();
            datagram[at] = rng.next().to_le_bytes()[0];
        }
        datagram.truncate(1 + usize::try_from(rng.next() % 200).unwrap());
        for line in decoder.take(FROM, &datagram) {
            let feed = Feed::default();
            let read = named("ipfix_json").unwrap().parse(&feed, &line);
            assert!(read.is_ok() || read == Err("time-invalid"), "{line}: {read:?}");
        }
    }
    assert!(decoder.tally().records > 1_000);
}
