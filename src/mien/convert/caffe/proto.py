"""Caffe's two files as protocol buffers: the description is text, the weights are binary.

The messages are made when they are needed, from the tables below, which say as much of
`caffe.proto` as we read (and of its offshoots for detection); other fields are passed over.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from mien.errors import ConversionFailed, ExtraMissing

# A description holds no weights; the longest in use have a few hundred thousand bytes.
_LONGEST_TEXT = 4 << 20

_HINT = "Get both files again from their publisher and compare their sha256."

# Of the binary file only the weights are read. Field numbers are Caffe's. Weights are packed, which
# on the wire is the same as bytes, and bytes become an array without a Python number for each.
_WEIGHTS = {
    "Network": "layers*:2:V1Layer layer*:100:Layer",
    "V1Layer": "name:4:string blobs*:6:Blob",
    "Layer": "name:1:string blobs*:7:Blob",
    "Blob": "num:1:int32 channels:2:int32 height:3:int32 width:4:int32 data*:5:bytes shape:7:Shape"
    " double_data*:8:bytes",
    "Shape": "dim*:1:int64",
}

_LAYER = (
    "name:string bottom*:string top*:string include*:Rule exclude*:Rule"
    " batch_norm_param:BatchNorm bias_param:Bias clip_param:Clip concat_param:Concat"
    " convolution_param:Convolution crop_param:Crop elu_param:Elu eltwise_param:Eltwise flatten_param:Flatten"
    " inner_product_param:InnerProduct input_param:Input interp_param:Interp lrn_param:Lrn"
    " norm_param:Normalize permute_param:Permute pooling_param:Pooling power_param:Power prelu_param:PRelu"
    " relu_param:Relu reshape_param:Reshape scale_param:Scale slice_param:Slice softmax_param:Softmax"
    " upsample_param:Upsample"
)

# The text names its fields, so their numbers here are of no account: they are counted.
_DESCRIPTION = {
    "Network": "name:string input*:string input_dim*:int64 input_shape*:Shape layers*:V1Layer layer*:Layer",
    "Layer": f"type:string {_LAYER}",
    "V1Layer": f"type:V1Type {_LAYER}",
    "Rule": "phase:Phase stage*:string not_stage*:string",
    "Shape": "dim*:int64",
    "BatchNorm": "eps:float=1e-5",
    "Bias": "axis:int32=1 num_axes:int32=1",
    "Clip": "min:float max:float",
    "Concat": "axis:int32=1 concat_dim:uint32=1",
    "Convolution": "num_output:uint32 bias_term:bool=true pad*:uint32 kernel_size*:uint32 stride*:uint32"
    " dilation*:uint32 group:uint32=1 pad_h:uint32 pad_w:uint32 kernel_h:uint32 kernel_w:uint32"
    " stride_h:uint32 stride_w:uint32 axis:int32=1",
    "Crop": "axis:int32=2 offset*:uint32",
    "Elu": "alpha:float=1",
    "Eltwise": "operation:EltwiseKind=SUM coeff*:float",
    "Flatten": "axis:int32=1 end_axis:int32=-1",
    "InnerProduct": "num_output:uint32 bias_term:bool=true axis:int32=1 transpose:bool=false",
    "Input": "shape*:Shape",
    "Interp": "height:int32=0 width:int32=0 zoom_factor:int32=1 shrink_factor:int32=1 pad_beg:int32=0"
    " pad_end:int32=0",
    "Lrn": "local_size:uint32=5 alpha:float=1 beta:float=0.75 norm_region:Region=ACROSS_CHANNELS k:float=1",
    "Normalize": "across_spatial:bool=true channel_shared:bool=true eps:float=1e-10",
    "Permute": "order*:uint32",
    "Pooling": "pool:PoolKind=MAX pad*:uint32 kernel_size*:uint32 stride*:uint32 pad_h:uint32 pad_w:uint32"
    " kernel_h:uint32 kernel_w:uint32 stride_h:uint32 stride_w:uint32 global_pooling:bool=false"
    " round_mode:Rounding=CEIL ceil_mode:bool=true",
    "Power": "power:float=1 scale:float=1 shift:float=0",
    "PRelu": "channel_shared:bool=false",
    "Relu": "negative_slope:float=0",
    "Reshape": "shape:Shape axis:int32=0 num_axes:int32=-1",
    "Scale": "axis:int32=1 num_axes:int32=1 bias_term:bool=false",
    "Slice": "axis:int32=1 slice_dim:uint32=1 slice_point*:uint32",
    "Softmax": "axis:int32=1",
    "Upsample": "scale:int32=2",
}

# In the order of their numbers, from 0.
_CHOICES = {
    "Phase": "TRAIN TEST",
    "EltwiseKind": "PROD SUM MAX",
    "PoolKind": "MAX AVE STOCHASTIC",
    "Region": "ACROSS_CHANNELS WITHIN_CHANNEL",
    "Rounding": "CEIL FLOOR",
    "V1Type": "NONE ACCURACY BNLL CONCAT CONVOLUTION DATA DROPOUT EUCLIDEAN_LOSS FLATTEN HDF5_DATA"
    " HDF5_OUTPUT IM2COL IMAGE_DATA INFOGAIN_LOSS INNER_PRODUCT LRN MULTINOMIAL_LOGISTIC_LOSS POOLING RELU"
    " SIGMOID SOFTMAX SOFTMAX_LOSS SPLIT TANH WINDOW_DATA ELTWISE POWER SIGMOID_CROSS_ENTROPY_LOSS HINGE_LOSS"
    " MEMORY_DATA ARGMAX THRESHOLD DUMMY_DATA SLICE MVN ABSVAL SILENCE CONTRASTIVE_LOSS EXP DECONVOLUTION",
}


def parse_description(text: bytes) -> Any:  # noqa: ANN401 - a message class made at run time
    """Read a prototxt.

    Raises:
        ConversionFailed: Not such a file.
        ExtraMissing: The package protobuf is not installed.
    """
    if len(text) > _LONGEST_TEXT:
        raise ConversionFailed(f"A prototxt of {len(text)} bytes: no network's description is so long.")
    empty = _network_class("description")()
    from google.protobuf import text_format

    try:
        return text_format.Parse(text.decode(), empty, allow_unknown_field=True)
    except (text_format.ParseError, ValueError, RecursionError) as error:
        raise ConversionFailed(f"Not a Caffe description: {str(error)[:200]}", hint=_HINT) from error


def parse_weights(data: bytes) -> Any:  # noqa: ANN401 - a message class made at run time
    """Read a caffemodel.

    Raises:
        ConversionFailed: Not such a file.
        ExtraMissing: The package protobuf is not installed.
    """
    empty = _network_class("weights")()
    from google.protobuf.message import DecodeError

    try:
        empty.ParseFromString(data)
    except (DecodeError, ValueError) as error:
        raise ConversionFailed(f"Not a Caffe model: {str(error)[:200]}", hint=_HINT) from error
    return empty


@cache
def _network_class(package: str) -> Any:  # noqa: ANN401 - a message class made at run time
    """Make the class of messages that a whole file is."""
    try:
        from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    except ImportError as error:
        raise ExtraMissing.of("convert", "Reading Caffe's files needs the package protobuf.") from error
    tables = {"weights": _WEIGHTS, "description": _DESCRIPTION}
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto2")
    for name, values in _CHOICES.items():
        # Each in a message of its own: MAX is a value of two, and one scope must not hold it twice.
        choice = file.message_type.add(name=name).enum_type.add(name="Value")
        for number, value in enumerate(values.split()):
            choice.value.add(name=value, number=number)
    for name, fields in tables[package].items():
        message = file.message_type.add(name=name)
        for count, field in enumerate(fields.split(), start=1):
            _declare(message, package, field, count)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.Network"))


def _declare(message: Any, package: str, field: str, count: int) -> None:  # noqa: ANN401 - as above
    """Declare one field, written `name[*]:[number:]type[=default]`; the asterisk means repeated."""
    declaration, _, default = field.partition("=")
    name, *number, kind = declaration.split(":")
    made = message.field.add(name=name.rstrip("*"), number=int(number[0]) if number else count)
    made.label = made.LABEL_REPEATED if name.endswith("*") else made.LABEL_OPTIONAL
    if default:
        made.default_value = default
    if kind[0].islower():
        made.type = getattr(made, f"TYPE_{kind.upper()}")
    elif kind in _CHOICES:
        made.type, made.type_name = made.TYPE_ENUM, f".{package}.{kind}.Value"
    else:
        made.type, made.type_name = made.TYPE_MESSAGE, f".{package}.{kind}"
