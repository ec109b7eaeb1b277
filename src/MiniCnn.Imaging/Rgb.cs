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

    // Every tenth colour of matplotlib's inferno (CC0, by S. van der Walt and N. Smith), evenly brighter to the eye.
    static readonly Rgb[] inferno =
    [
        new(0, 0, 4), new(22, 11, 57), new(66, 10, 104), new(106, 23, 110), new(147, 38, 103), new(188, 55, 84),
        new(221, 81, 58), new(243, 120, 25), new(252, 165, 10), new(246, 215, 70), new(252, 255, 164),
    ];

    /// <summary>Black for 0 over purple, red and orange to pale yellow for 1; beyond that the ends' colours, and grey for NaN.</summary>
    public static Rgb Inferno(float value)
    {
        if (float.IsNaN(value)) return new(128, 128, 128);
        float place = Math.Clamp(value, 0, 1) * (inferno.Length - 1);
        int i = Math.Min((int)place, inferno.Length - 2);
        (Rgb from, Rgb to, float share) = (inferno[i], inferno[i + 1], place - i);
        return new(Between(from.Red, to.Red), Between(from.Green, to.Green), Between(from.Blue, to.Blue));

        byte Between(byte a, byte b) => (byte)MathF.Round(a + (b - a) * share);
    }
}
