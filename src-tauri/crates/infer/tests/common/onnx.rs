//! Writes graphs of one input `x`, one output `y` and one operator, as ONNX (opset 13).

fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    varint(&mut out, bytes.len() as u64);
    out.extend_from_slice(bytes);
    out
}

fn number(field: u8, value: u64) -> Vec<u8> {
    let mut out = vec![field << 3];
    varint(&mut out, value);
    out
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(value as u8 & 0x7f | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A dimension: fixed, or open under a name.
pub enum Dim {
    Fixed(u64),
    Open(&'static str),
}

fn value(name: &str, dims: &[Dim]) -> Vec<u8> {
    let dims: Vec<u8> = dims
        .iter()
        .flat_map(|dim| {
            field(
                1,
                &match dim {
                    Dim::Fixed(n) => number(1, *n),
                    Dim::Open(name) => field(2, name.as_bytes()),
                },
            )
        })
        .collect();
    let tensor = [number(1, 1), field(2, &dims)].concat();
    [field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat()
}

/// `y = operator(x)`, floats.
pub fn unary(operator: &str, input: &[Dim], output: &[Dim]) -> Vec<u8> {
    let node = [
        field(1, b"x"),
        field(2, b"y"),
        field(4, operator.as_bytes()),
    ]
    .concat();
    let graph = [
        field(1, &node),
        field(2, b"g"),
        field(11, &value("x", input)),
        field(12, &value("y", output)),
    ]
    .concat();
    let opset = [field(1, b""), number(2, 13)].concat();
    [number(1, 8), field(7, &graph), field(8, &opset)].concat()
}

/// One operator on pictures of any size with `channels` channels first.
pub fn pictures(operator: &str, channels: u64) -> Vec<u8> {
    let dims = || {
        [
            Dim::Fixed(1),
            Dim::Fixed(channels),
            Dim::Open("h"),
            Dim::Open("w"),
        ]
    };
    unary(operator, &dims(), &dims())
}
