namespace MiniCnn.Imaging;

/// <summary>A colour of 8 bits a channel.</summary>
/// <param name="Red">0 to 255.</param>
/// <param name="Green">0 to 255.</param>
/// <param name="Blue">0 to 255.</param>
public readonly record struct Rgb(byte Red, byte Green, byte Blue)
{
    /// <summary>Blue for −1 over white for 0 to red for +1; beyond that the ends' colours, and grey for NaN.</summary>
    public static Rgb BlueWhiteRed(float value)
    {
        if (float.IsNaN(value)) return new(128, 128, 128);
        Rgb end = value < 0 ? new(33, 102, 172) : new(178, 24, 43);    // the ends of ColorBrewer's RdBu
        float share = Math.Min(Math.Abs(value), 1);
        return new(Towards(end.Red), Towards(end.Green), Towards(end.Blue));

        byte Towards(byte channel) => (byte)MathF.Round(255 + (channel - 255) * share);
    }
}
