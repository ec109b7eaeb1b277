namespace MiniCnn.Imaging;

/// <summary>An RGB color with 8 bits per channel.</summary>
/// <param name="Red">Red, 0 to 255.</param>
/// <param name="Green">Green, 0 to 255.</param>
/// <param name="Blue">Blue, 0 to 255.</param>
public readonly record struct Rgb(byte Red, byte Green, byte Blue)
{
    static readonly Rgb[] blueWhiteRed = [new(33, 102, 172), new(255, 255, 255), new(178, 24, 43)];    // the end colors of ColorBrewer's RdBu

    // Every tenth color of matplotlib's inferno (CC0, by S. van der Walt and N. Smith), which is perceptually uniform.
    static readonly Rgb[] inferno =
    [
        new(0, 0, 4), new(22, 11, 57), new(66, 10, 104), new(106, 23, 110), new(147, 38, 103), new(188, 55, 84),
        new(221, 81, 58), new(243, 120, 25), new(252, 165, 10), new(246, 215, 70), new(252, 255, 164),
    ];

    /// <summary>A diverging color scale: blue for −1, white for 0, red for +1. Other values are clamped; NaN is grey.</summary>
    public static Rgb BlueWhiteRed(float value) => Along(blueWhiteRed, (value + 1) / 2);

    /// <summary>A sequential color scale: black for 0, then purple, red and orange, to pale yellow for 1. Other values are clamped; NaN is grey.</summary>
    public static Rgb Inferno(float value) => Along(inferno, value);

    static Rgb Along(Rgb[] colors, float value)
    {
        if (float.IsNaN(value)) return new(128, 128, 128);
        float place = Math.Clamp(value, 0, 1) * (colors.Length - 1);
        int i = Math.Min((int)place, colors.Length - 2);
        return colors[i].Towards(colors[i + 1], place - i);
    }

    // Linear interpolation: this color for a share of 0, the other color for 1.
    internal Rgb Towards(Rgb other, float share) => new(Mix(Red, other.Red, share), Mix(Green, other.Green, share), Mix(Blue, other.Blue, share));

    static byte Mix(byte a, byte b, float share) => (byte)MathF.Round(a + (b - a) * share);
}
