using MiniCnn.Imaging;

/// <summary>Photos of things that differ in shape, not in brightness, and their masks.</summary>
static class Shapes
{
    const int Height = 48, Width = 64;

    static readonly Func<double, double, bool>[] covers =      // of a thing with radius 1
    [
        (x, y) => x * x + y * y < 1, (x, y) => Math.Max(Math.Abs(x), Math.Abs(y)) < 0.9,
        (x, y) => y < 0.8 && Math.Abs(x) < 0.55 * (y + 1), (x, y) => Math.Min(Math.Abs(x), Math.Abs(y)) < 0.33 && Math.Max(Math.Abs(x), Math.Abs(y)) < 1,
    ];

    public static readonly string[] Names = ["ground", "disk", "square", "triangle", "cross"];

    /// <summary>Draws photos/0000.png and masks/0000.png and so on, of up to six things each, brighter or darker than the ground.</summary>
    public static void Draw(string folder, int count, int seed)
    {
        Random random = new(seed);
        Directory.CreateDirectory(Path.Combine(folder, "photos"));
        Directory.CreateDirectory(Path.Combine(folder, "masks"));
        foreach (string name in Enumerable.Range(0, count).Select(i => $"{i:D4}.png"))
        {
            Picture photo = new(Width, Height, channels: 1), mask = new(Width, Height, channels: 1);
            int ground = random.Next(90, 166);
            Array.Fill(photo.Pixels, (byte)ground);
            for (int things = random.Next(1, 7); things > 0; things--)
                Put(photo, mask, ground, random);
            for (int i = 0; i < photo.Pixels.Length; i++)
                photo.Pixels[i] = (byte)Math.Clamp(photo.Pixels[i] + random.Next(-20, 21), 0, 255);
            photo.Save(Path.Combine(folder, "photos", name));
            mask.Save(Path.Combine(folder, "masks", name));
        }
    }

    /// <summary>A thing somewhere, unless another one is there.</summary>
    static void Put(Picture photo, Picture mask, int ground, Random random)
    {
        int kind = random.Next(covers.Length), change = random.Next(45, 81) * (random.Next(2) == 0 ? 1 : -1);
        double radius = 5 + 4 * random.NextDouble();
        double left = radius + (Width - 2 * radius) * random.NextDouble(), top = radius + (Height - 2 * radius) * random.NextDouble();
        int[] near = [.. Enumerable.Range(0, mask.Pixels.Length).Where(i => Math.Max(Math.Abs(i % Width - left), Math.Abs(i / Width - top)) < radius + 2)];
        if (near.Any(i => mask.Pixels[i] != 0))
            return;
        foreach (int i in near.Where(i => covers[kind]((i % Width - left) / radius, (i / Width - top) / radius)))
            (photo.Pixels[i], mask.Pixels[i]) = ((byte)(ground + change), (byte)(kind + 1));
    }
}
