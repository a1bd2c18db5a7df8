//! Counts the coded blocks of a JPEG without decoding them (ITU-T T.81, annexes F and G).
//!
//! Decoders fill what is missing in silence when the data ends early and an end marker was put
//! behind it, so nothing but the count tells. Refinement scans of AC coefficients in progressive
//! files are not walked: their length depends on the coefficients before.

/// False if a scan holds fewer blocks than the picture needs, or a code that is in no table.
pub(super) fn has_all_blocks(bytes: &[u8]) -> bool {
    let mut walk = Walk::default();
    let mut at = 2;
    while let Some(marker) = next_marker(bytes, &mut at) {
        if marker == 0xd9 {
            break;
        }
        let Some(body) = body(bytes, at) else {
            return false;
        };
        at += 2 + body.len();
        match marker {
            0xc4 => walk.tables(body),
            0xdd => {
                if let [a, b, ..] = *body {
                    walk.restart = u32::from(u16::from_be_bytes([a, b]));
                }
            }
            0xc0..=0xc2 if walk.components.is_empty() => walk.frame(marker, body),
            0xda => {
                let coded = &bytes[at..];
                if walk.scan(body, coded) == Some(false) {
                    return false;
                }
                at += super::jpeg::coded_len(coded);
            }
            _ => {}
        }
    }
    true
}

fn next_marker(bytes: &[u8], at: &mut usize) -> Option<u8> {
    loop {
        let found = bytes.get(*at..)?.iter().position(|b| *b == 0xff)?;
        let marker = *bytes.get(*at + found + 1)?;
        match marker {
            0xff => *at += found + 1,
            0x00 | 0x01 | 0xd0..=0xd8 => *at += found + 2,
            _ => {
                *at += found + 2;
                return Some(marker);
            }
        }
    }
}

fn body(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let length = usize::from(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    bytes.get(at + 2..at.checked_add(length.max(2))?)
}

struct Component {
    id: u8,
    across: u32,
    down: u32,
}

/// By the next 16 bits: length of the code (0: none) and its symbol.
type Table = Vec<(u8, u8)>;

#[derive(Default)]
struct Walk {
    width: u32,
    height: u32,
    progressive: bool,
    restart: u32,
    components: Vec<Component>,
    dc: [Option<Table>; 4],
    ac: [Option<Table>; 4],
}

impl Walk {
    fn frame(&mut self, marker: u8, body: &[u8]) {
        let [_, h1, h0, w1, w0, _, components @ ..] = body else {
            return;
        };
        self.progressive = marker == 0xc2;
        self.height = u32::from(u16::from_be_bytes([*h1, *h0]));
        self.width = u32::from(u16::from_be_bytes([*w1, *w0]));
        self.components = components
            .as_chunks::<3>()
            .0
            .iter()
            .map(|[id, factors, _]| Component {
                id: *id,
                across: u32::from(factors >> 4).max(1),
                down: u32::from(factors & 15).max(1),
            })
            .collect();
    }

    fn tables(&mut self, mut body: &[u8]) {
        while let Some((head, rest)) = body.split_at_checked(17) {
            let count: usize = head[1..].iter().map(|n| usize::from(*n)).sum();
            let Some((symbols, rest)) = rest.split_at_checked(count) else {
                return;
            };
            body = rest;
            let tables = if head[0] >> 4 == 0 {
                &mut self.dc
            } else {
                &mut self.ac
            };
            tables[usize::from(head[0] & 3)] = Some(table(&head[1..], symbols));
        }
    }

    /// Whether the scan is whole; `None` where that cannot be told.
    fn scan(&self, body: &[u8], coded: &[u8]) -> Option<bool> {
        let (count, rest) = body.split_first()?;
        let (chosen, rest) = rest.split_at_checked(2 * usize::from(*count))?;
        let [first, last, approximation, ..] = *rest else {
            return None;
        };
        let kind = match (self.progressive, first, approximation >> 4) {
            (false, ..) => Kind::Sequential,
            (true, 0, 0) => Kind::DcFirst,
            (true, 0, _) => Kind::DcRefine,
            (true, _, 0) => Kind::AcFirst { first, last },
            (true, ..) => return None,
        };
        let across = self.components.iter().map(|c| c.across).max()?;
        let down = self.components.iter().map(|c| c.down).max()?;
        let mut blocks = Vec::new();
        let mut units =
            u64::from(self.width.div_ceil(8 * across)) * u64::from(self.height.div_ceil(8 * down));
        for [id, tables] in chosen.as_chunks::<2>().0 {
            let component = self.components.iter().find(|c| c.id == *id)?;
            let dc = self.dc[usize::from(tables >> 4 & 3)].as_ref();
            let ac = self.ac[usize::from(tables & 3)].as_ref();
            let mut in_unit = component.across * component.down;
            if *count == 1 {
                // One component alone: its own blocks, without those that only fill up units.
                let side = |size: u32, own: u32, most: u32| {
                    u64::from((size * own).div_ceil(most).div_ceil(8))
                };
                units = side(self.width, component.across, across)
                    * side(self.height, component.down, down);
                in_unit = 1;
            }
            blocks.extend(std::iter::repeat_n((dc, ac), in_unit as usize));
        }
        let mut bits = Bits::new(coded);
        let mut skipped = 0u32;
        for unit in 0..units {
            if self.restart > 0 && unit > 0 && unit % u64::from(self.restart) == 0 {
                skipped = 0;
                if !bits.restart() {
                    return Some(false);
                }
            }
            for (dc, ac) in &blocks {
                if kind.block(&mut bits, *dc, *ac, &mut skipped).is_none() {
                    return Some(false);
                }
            }
        }
        Some(true)
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Sequential,
    DcFirst,
    DcRefine,
    AcFirst { first: u8, last: u8 },
}

impl Kind {
    /// Steps over one block; `None` if the data ends or makes no sense. `skipped` are the blocks
    /// that a run has declared empty.
    fn block(
        self,
        bits: &mut Bits<'_>,
        dc: Option<&Table>,
        ac: Option<&Table>,
        skipped: &mut u32,
    ) -> Option<()> {
        match self {
            Kind::DcRefine => bits.skip(1),
            Kind::DcFirst => {
                let size = bits.symbol(dc?)?;
                bits.skip(size)
            }
            Kind::Sequential => {
                let size = bits.symbol(dc?)?;
                bits.skip(size)?;
                let ac = ac?;
                let mut at = 1u32;
                while at < 64 {
                    let symbol = bits.symbol(ac)?;
                    match (symbol >> 4, symbol & 15) {
                        (15, 0) => at += 16,
                        (_, 0) => break,
                        (run, size) => {
                            at += u32::from(run) + 1;
                            bits.skip(size)?;
                        }
                    }
                }
                Some(())
            }
            Kind::AcFirst { first, last } => {
                if *skipped > 0 {
                    *skipped -= 1;
                    return Some(());
                }
                let ac = ac?;
                let mut at = u32::from(first);
                while at <= u32::from(last) {
                    let symbol = bits.symbol(ac)?;
                    match (symbol >> 4, symbol & 15) {
                        (15, 0) => at += 16,
                        (run, 0) => {
                            *skipped = (1 << run) - 1 + bits.take(run)?;
                            break;
                        }
                        (run, size) => {
                            at += u32::from(run) + 1;
                            bits.skip(size)?;
                        }
                    }
                }
                Some(())
            }
        }
    }
}

fn table(lengths: &[u8], symbols: &[u8]) -> Table {
    let mut table = vec![(0, 0); 1 << 16];
    let mut code = 0usize;
    let mut symbols = symbols.iter();
    for (length, count) in (1u8..).zip(lengths) {
        for symbol in symbols.by_ref().take(usize::from(*count)) {
            let start = code << (16 - length);
            let end = (code + 1) << (16 - length);
            if let Some(span) = table.get_mut(start..end) {
                span.fill((length, *symbol));
            }
            code += 1;
        }
        code <<= 1;
    }
    table
}

/// The bits of a scan, stuffed zeros left out, up to the next marker.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            held: 0,
            count: 0,
        }
    }

    fn fill(&mut self) {
        while self.count <= 48 {
            let Some(&byte) = self.bytes.get(self.at) else {
                return;
            };
            if byte == 0xff {
                if self.bytes.get(self.at + 1) != Some(&0) {
                    return;
                }
                self.at += 1;
            }
            self.at += 1;
            self.held = self.held << 8 | u64::from(byte);
            self.count += 8;
        }
    }

    /// The next 16 bits; ones stand for what is not there, as the padding of a scan has it.
    fn peek(&self) -> usize {
        let bits = if self.count >= 16 {
            self.held >> (self.count - 16)
        } else {
            let missing = 16 - self.count;
            self.held << missing | ((1 << missing) - 1)
        };
        (bits & 0xffff) as usize
    }

    fn symbol(&mut self, table: &Table) -> Option<u8> {
        if self.count < 16 {
            self.fill();
        }
        let (length, symbol) = *table.get(self.peek())?;
        if length == 0 || u32::from(length) > self.count {
            return None;
        }
        self.count -= u32::from(length);
        Some(symbol)
    }

    fn take(&mut self, bits: u8) -> Option<u32> {
        if self.count < u32::from(bits) {
            self.fill();
        }
        self.count = self.count.checked_sub(u32::from(bits))?;
        let value = self.held >> self.count & ((1 << bits) - 1);
        Some(value as u32)
    }

    fn skip(&mut self, bits: u8) -> Option<()> {
        self.take(bits).map(|_| ())
    }

    /// Steps over the restart marker, which must be next.
    fn restart(&mut self) -> bool {
        self.held = 0;
        self.count = 0;
        // Whole bytes that were held already belong to the padding; fill bytes may follow.
        while self.bytes.get(self.at) == Some(&0xff) && self.bytes.get(self.at + 1) == Some(&0xff) {
            self.at += 1;
        }
        match self.bytes.get(self.at..self.at + 2) {
            Some([0xff, 0xd0..=0xd7]) => {
                self.at += 2;
                true
            }
            _ => false,
        }
    }
}
