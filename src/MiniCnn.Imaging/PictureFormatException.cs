namespace MiniCnn.Imaging;

/// <summary>A file is not a picture that can be read. The message is one line with what was expected and what was found.</summary>
public sealed class PictureFormatException(string message, Exception? inner = null) : IOException(message, inner);
