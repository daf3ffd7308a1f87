"""Give an acoustic model an output for "any phone", without training.

The new output is the maximum of the phones' log-probabilities, so that one garbage phone does
the work of a loop over all phones, and a lattice holds one path through it instead of thousands.
The file format is Kaldi's: TransitionModel and nnet3 AmNnetSimple, binary.
"""

from __future__ import annotations

import struct

from models.errors import ModelError

_OUTPUT = b"output-node name=output input="


def add_garbage_output(model: bytes) -> bytes:
    """Append a garbage output and the three phones that use it to a ``final.mdl``.

    ``model`` must have one emitting state a phone with output 0 for blank, silence on blank too,
    and its output layer named in the ``output-node`` line. Raises ModelError otherwise.
    """
    try:
        if b"name=garbage " in model:
            raise ValueError("it has one already")
        transitions, rest = _split(model, b"<Nnet3> ")
        patched, outputs = _add_phones(transitions)
        return patched + _add_output(rest, outputs)
    except (ValueError, struct.error, IndexError) as error:
        raise ModelError(f"final.mdl is not a model that a garbage output fits: {error}") from None


def _split(data: bytes, token: bytes) -> tuple[bytes, bytes]:
    at = data.find(token)
    if at < 0:
        raise ValueError(f"it has no {token.decode().strip()}")
    return data[:at], data[at:]


def _add_phones(data: bytes) -> tuple[bytes, int]:
    """Three more phones in a TransitionModel; also returns the number of outputs it had."""
    start = data.index(b"<Topology> ") + len(b"<Topology> ")
    phones, entry_of_at = _read_ints(data, start)
    entry_of, entries_at = _read_ints(data, entry_of_at)
    tuples_at = data.index(b"<Tuples> ")
    count = struct.unpack_from("<i", data, tuples_at + len(b"<Tuples> ") + 1)[0]
    if count != len(phones) or set(entry_of[1:]) != {0}:
        raise ValueError("its phones have more than one state")
    first_tuple = tuples_at + len(b"<Tuples> ") + 5
    rows_end = first_tuple + count * 4 * 5
    outputs = 1 + max(
        struct.unpack_from("<i", data, at + 11)[0] for at in range(first_tuple, rows_end, 20)
    )
    new = [phones[-1] + step for step in (1, 2, 3)]
    rows = b"".join(_int(number) for phone in new for number in (phone, 0, outputs, 0))
    log_half = struct.pack("<f", -0.6931471805599453)
    probabilities_at = data.index(b"<LogProbs> FV ") + len(b"<LogProbs> FV ")
    size = struct.unpack_from("<i", data, probabilities_at + 1)[0]
    values = data[probabilities_at + 5 : probabilities_at + 5 + 4 * size]
    return (
        data[:start]
        + _ints([*phones, *new])
        + _ints([*entry_of, 0, 0, 0])
        + data[entries_at:tuples_at]
        + b"<Tuples> "
        + _int(count + 3)
        + data[first_tuple:rows_end]
        + rows
        + data[rows_end:probabilities_at]
        + _int(size + 6)
        + values
        + log_half * 6
        + data[probabilities_at + 5 + 4 * size :]
    ), outputs


def _add_output(data: bytes, outputs: int) -> bytes:
    """Select the phones' outputs, take their maximum, and append it to the output."""
    line_at = data.index(_OUTPUT) + len(_OUTPUT)
    line_end = data.index(b"\n", line_at)
    source = data[line_at:line_end].split(b" ")[0]
    objective = data[line_at + len(source) : line_end]
    nodes = (
        b"component-node name=phones component=phones input=" + source + b"\n"
        b"component-node name=garbage component=garbage input=phones\n"
    )
    config = data[: line_at - len(_OUTPUT)] + nodes
    config += _OUTPUT + b"Append(" + source + b", garbage)" + objective
    number_at = data.index(b"<NumComponents> ") + len(b"<NumComponents> ")
    components = struct.unpack_from("<i", data, number_at + 1)[0]
    end_at = data.rindex(b"</Nnet3>")
    priors_at = data.index(b"<Priors> FV ", end_at) + len(b"<Priors> FV ")
    size = struct.unpack_from("<i", data, priors_at + 1)[0]
    one = struct.pack("<f", 1.0) if size else b""
    return (
        config
        + data[line_end:number_at]
        + _int(components + 2)
        + data[number_at + 5 : end_at]
        + _selection(outputs)
        + _maximum(outputs - 1)
        + data[end_at:priors_at]
        + _int(size + len(one) // 4)
        + data[priors_at + 5 : priors_at + 5 + 4 * size]
        + one
        + data[priors_at + 5 + 4 * size :]
    )


def _selection(outputs: int) -> bytes:
    """A fixed affine component (outputs - 1, outputs) that drops output 0, the blank."""
    rows = (
        struct.pack(f"<{outputs}f", *(float(column == row) for column in range(outputs)))
        for row in range(1, outputs)
    )
    return (
        b"<ComponentName> phones <FixedAffineComponent> <LinearParams> FM "
        + _int(outputs - 1)
        + _int(outputs)
        + b"".join(rows)
        + b"<BiasParams> FV "
        + _int(outputs - 1)
        + bytes(4 * (outputs - 1))
        + b"</FixedAffineComponent> "
    )


def _maximum(size: int) -> bytes:
    """A pooling component that takes the maximum of ``size`` inputs."""
    fields = (
        ("InputXDim", size),
        ("InputYDim", 1),
        ("InputZDim", 1),
        ("PoolXSize", size),
        ("PoolYSize", 1),
        ("PoolZSize", 1),
        ("PoolXStep", 1),
        ("PoolYStep", 1),
        ("PoolZStep", 1),
    )
    body = b"".join(f"<{name}> ".encode() + _int(value) for name, value in fields)
    return b"<ComponentName> garbage <MaxpoolingComponent> " + body + b"</MaxpoolingComponent> "


def _int(value: int) -> bytes:
    return b"\x04" + struct.pack("<i", value)


def _ints(values: list[int]) -> bytes:
    return b"\x04" + struct.pack(f"<i{len(values)}i", len(values), *values)


def _read_ints(data: bytes, at: int) -> tuple[list[int], int]:
    """An integer vector at ``at`` and where it ends."""
    (count,) = struct.unpack_from("<i", data, at + 1)
    end = at + 5 + 4 * count
    return list(struct.unpack_from(f"<{count}i", data, at + 5)), end
