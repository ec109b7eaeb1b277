namespace MiniCnn.Imaging;

/// <summary>A file is not a picture that can be read; the message says in one line what was expected and what came.</summary>
public sealed class PictureFormatException(string message, Exception? inner = null) : IOException(message, inner);
