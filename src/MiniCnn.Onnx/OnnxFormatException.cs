namespace MiniCnn.OnnxModels;

/// <summary>
/// The file is not an ONNX model, is damaged, or has no equivalent in this library's layers. The message is one line that names the node and operator.
/// </summary>
public sealed class OnnxFormatException(string message, Exception? inner = null) : IOException(message, inner);
