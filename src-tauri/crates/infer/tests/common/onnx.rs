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
    /// So many.
    Fixed(u64),
    /// Any number.
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

/// An attribute of whole numbers.
fn integers(name: &str, values: &[u64]) -> Vec<u8> {
    let values: Vec<u8> = values.iter().flat_map(|value| number(8, *value)).collect();
    let mut kind = Vec::new();
    // Field 20, which says that these are integers.
    varint(&mut kind, 20 << 3);
    kind.push(7);
    field(5, &[field(1, name.as_bytes()), values, kind].concat())
}

/// `y = operator(x)`, floats.
pub fn unary(operator: &str, input: &[Dim], output: &[Dim]) -> Vec<u8> {
    with_attributes(operator, &[], input, output)
}

fn with_attributes(operator: &str, attributes: &[u8], input: &[Dim], output: &[Dim]) -> Vec<u8> {
    let node = [
        &field(1, b"x")[..],
        &field(2, b"y"),
        &field(4, operator.as_bytes()),
        attributes,
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

/// `y = x + w`, where the numbers of `w` are said to lie in another file.
pub fn elsewhere(location: &str) -> Vec<u8> {
    let node = [
        field(1, b"x"),
        field(1, b"w"),
        field(2, b"y"),
        field(4, b"Add"),
    ]
    .concat();
    let entry = [field(1, b"location"), field(2, location.as_bytes())].concat();
    let weights = [
        number(1, 1),
        number(2, 1),
        field(8, b"w"),
        field(13, &entry),
        number(14, 1),
    ]
    .concat();
    let graph = [
        field(1, &node),
        field(2, b"g"),
        field(5, &weights),
        field(11, &value("x", &of_pictures(3))),
        field(12, &value("y", &of_pictures(3))),
    ]
    .concat();
    let opset = [field(1, b""), number(2, 13)].concat();
    [number(1, 8), field(7, &graph), field(8, &opset)].concat()
}

/// Pictures of any size, channels first.
fn of_pictures(channels: u64) -> [Dim; 4] {
    [
        Dim::Fixed(1),
        Dim::Fixed(channels),
        Dim::Open("h"),
        Dim::Open("w"),
    ]
}

/// One operator on pictures of any size with `channels` channels first.
pub fn pictures(operator: &str, channels: u64) -> Vec<u8> {
    unary(operator, &of_pictures(channels), &of_pictures(channels))
}

/// The mean of the square of `2 * reach + 1` pixels around each pixel, in one operator: as slow as
/// one likes, and not to be stopped in its middle.
pub fn means(reach: u64, channels: u64) -> Vec<u8> {
    let side = 2 * reach + 1;
    let attributes = [
        integers("kernel_shape", &[side, side]),
        integers("pads", &[reach; 4]),
    ]
    .concat();
    let dims = || of_pictures(channels);
    with_attributes("AveragePool", &attributes, &dims(), &dims())
}

/// How a network that mixes two pictures is told the moment.
pub enum Told {
    /// Not at all: it gives the mean of `a` and `b`.
    Never,
    /// By a tensor `t` of these dimensions.
    By(Vec<Dim>),
    /// By the seventh of so many channels of its one input `x`, behind those of both pictures.
    Channel(u64),
}

/// `(1 - t) a + t b` of two pictures of three channels whose sides are multiples of `block`. With
/// `backwards`, the pictures change places.
pub fn mixed(told: &Told, block: u64, backwards: bool) -> Vec<u8> {
    let node = |operator: &str, inputs: &[&str], outputs: &[&str], more: &[u8]| {
        let names = |number: u8, names: &[&str]| -> Vec<u8> {
            names
                .iter()
                .flat_map(|name| field(number, name.as_bytes()))
                .collect()
        };
        let operator = field(4, operator.as_bytes());
        let all = [names(1, inputs), names(2, outputs), operator, more.to_vec()];
        field(1, &all.concat())
    };
    let integer = |name: &str, is: u64| {
        let mut kind = Vec::new();
        // Field 20, which says that this is an integer.
        varint(&mut kind, 20 << 3);
        kind.push(2);
        field(
            5,
            &[field(1, name.as_bytes()), number(3, is), kind].concat(),
        )
    };
    let mut nodes = Vec::new();
    let mut inputs = vec![value("a", &of_pictures(3)), value("b", &of_pictures(3))];
    let (a, b) = if backwards { ("b", "a") } else { ("a", "b") };
    match told {
        Told::Never => nodes.extend(node("Mean", &[a, b], &["mixed"], &[])),
        Told::By(dims) => {
            inputs.push(value("t", dims));
            nodes.extend(node("Sub", &[b, a], &["way"], &[]));
            nodes.extend(node("Mul", &["way", "t"], &["part"], &[]));
            nodes.extend(node("Add", &[a, "part"], &["mixed"], &[]));
        }
        Told::Channel(count) => {
            inputs = vec![value("x", &of_pictures(*count))];
            let names: Vec<String> = (0..*count).map(|n| format!("c{n}")).collect();
            let split: Vec<&str> = names.iter().map(String::as_str).collect();
            nodes.extend(node("Split", &["x"], &split, &integer("axis", 1)));
            nodes.extend(node(
                "Concat",
                &["c0", "c1", "c2"],
                &["a"],
                &integer("axis", 1),
            ));
            nodes.extend(node(
                "Concat",
                &["c3", "c4", "c5"],
                &["b"],
                &integer("axis", 1),
            ));
            if *count == 6 {
                nodes.extend(node("Mean", &[a, b], &["mixed"], &[]));
            } else {
                nodes.extend(node("Sub", &[b, a], &["way"], &[]));
                nodes.extend(node("Mul", &["way", "c6"], &["part"], &[]));
                nodes.extend(node("Add", &[a, "part"], &["mixed"], &[]));
            }
        }
    }
    // There and back again, which only sides that are multiples survive.
    let side = integer("blocksize", block);
    nodes.extend(node("SpaceToDepth", &["mixed"], &["packed"], &side));
    nodes.extend(node("DepthToSpace", &["packed"], &["y"], &side));
    let inputs: Vec<u8> = inputs.iter().flat_map(|input| field(11, input)).collect();
    let output = field(12, &value("y", &of_pictures(3)));
    let graph = [nodes, field(2, b"g"), inputs, output].concat();
    let opset = [field(1, b""), number(2, 13)].concat();
    [number(1, 8), field(7, &graph), field(8, &opset)].concat()
}
