using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>The icon of the packages: a 5×5 kernel in the colors of KernelSheet. MINICNN_UPDATE_ICON=1 writes the icon again.</summary>
public sealed class IconTests
{
    /// <summary>A smoothed derivative along the diagonal, similar to a learned first-layer kernel.</summary>
    static readonly int[,] kernel =
    {
        { -2, -5, -4, -1, 0 },
        { -5, -9, -6, 0, 1 },
        { -4, -6, 0, 6, 4 },
        { -1, 0, 6, 9, 5 },
        { 0, 1, 4, 5, 2 },
    };

    [Fact]
    public void The_icon_is_what_is_drawn_here()
    {
        const int side = 128, cell = 24;
        Picture icon = new(side, side);
        icon.Fill(0, 0, side, side, new(144, 144, 144));
        icon.Fill(1, 1, side - 2, side - 2, new(216, 216, 216));
        for (int y = 0; y < 5; y++)
            for (int x = 0; x < 5; x++)
                icon.Fill(2 + x * (cell + 1), 2 + y * (cell + 1), cell, cell, Rgb.BlueWhiteRed(kernel[y, x] / 9f));

        string path = Path.Combine(Repository.Root, "src", "icon.png");
        if (Environment.GetEnvironmentVariable("MINICNN_UPDATE_ICON") == "1")
            icon.Save(path);
        Picture saved = Picture.Load(path);
        Assert.Equal((side, side, 3), (saved.Width, saved.Height, saved.Channels));
        Assert.Equal(icon.Pixels, saved.Pixels);
    }
}
