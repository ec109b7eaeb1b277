using MiniCnn.Imaging;

namespace MiniCnn.Examples.Segmentation;

/// <summary>Photos of shapes and their masks. The brightness does not reveal the class of a shape.</summary>
static class Shapes
{
    const int Height = 48, Width = 64;

    // Whether a shape of radius 1 covers the point (x, y).
    static readonly Func<double, double, bool>[] covers =
    [
        (x, y) => x * x + y * y < 1, (x, y) => Math.Max(Math.Abs(x), Math.Abs(y)) < 0.9,
        (x, y) => y < 0.8 && Math.Abs(x) < 0.55 * (y + 1), (x, y) => Math.Min(Math.Abs(x), Math.Abs(y)) < 0.33 && Math.Max(Math.Abs(x), Math.Abs(y)) < 1,
    ];

    static readonly string[] names = ["ground", "disk", "square", "triangle", "cross"];

    /// <summary>Draws photos/0000.png, masks/0000.png and so on into a folder, and loads them.</summary>
    public static MaskedImages Load(string folder, int count, int seed)
    {
        (string photos, string masks) = (Path.Combine(folder, "photos"), Path.Combine(folder, "masks"));
        Directory.CreateDirectory(photos);
        Directory.CreateDirectory(masks);
        Random random = new(seed);
        for (int i = 0; i < count; i++)
            Draw(Path.Combine(photos, $"{i:D4}.png"), Path.Combine(masks, $"{i:D4}.png"), random);
        return new MaskedImageFolder(photos, masks, names).Load(Height, Width, channels: 1).Images;
    }

    /// <summary>Draws up to six shapes on a noisy ground.</summary>
    static void Draw(string photoFile, string maskFile, Random random)
    {
        Picture photo = new(Width, Height, channels: 1), mask = new(Width, Height, channels: 1);
        int ground = random.Next(90, 166);
        Array.Fill(photo.Pixels, (byte)ground);
        for (int shapes = random.Next(1, 7); shapes > 0; shapes--)
            AddShape(photo, mask, ground, random);
        for (int i = 0; i < photo.Pixels.Length; i++)
            photo.Pixels[i] = (byte)Math.Clamp(photo.Pixels[i] + random.Next(-20, 21), 0, 255);
        photo.Save(photoFile);
        mask.Save(maskFile);
    }

    /// <summary>Adds a shape at a random place, brighter or darker than the ground. Adds none if another shape is there.</summary>
    static void AddShape(Picture photo, Picture mask, int ground, Random random)
    {
        int kind = random.Next(covers.Length), change = random.Next(45, 81) * (random.Next(2) == 0 ? 1 : -1);
        double radius = 5 + 4 * random.NextDouble();
        double x = radius + (Width - 2 * radius) * random.NextDouble(), y = radius + (Height - 2 * radius) * random.NextDouble();      // the center
        int[] near = [.. Enumerable.Range(0, mask.Pixels.Length).Where(i => Math.Max(Math.Abs(i % Width - x), Math.Abs(i / Width - y)) < radius + 2)];
        if (near.Any(i => mask.Pixels[i] != 0))
            return;
        foreach (int i in near.Where(i => covers[kind]((i % Width - x) / radius, (i / Width - y) / radius)))
            (photo.Pixels[i], mask.Pixels[i]) = ((byte)(ground + change), (byte)(kind + 1));
    }
}
