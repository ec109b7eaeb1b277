namespace MiniCnn.OnnxModels;

/// <summary>A file is no ONNX model, damaged, or one that layers of this library cannot say; the message names node and operator in one line.</summary>
public sealed class OnnxFormatException(string message, Exception? inner = null) : IOException(message, inner);
