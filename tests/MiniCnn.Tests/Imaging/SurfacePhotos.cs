using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>Draws pictures of metal surfaces: many without a fault, some with a scratch, few with a dent.</summary>
static class SurfacePhotos
{
    const int Size = 40;

    /// <summary>Draws the given numbers of pictures into the folders dent, scratch and ok.</summary>
    public static void Draw(string folder, int dents, int scratches, int whole, int seed)
    {
        Random random = new(seed);
        foreach ((string name, int count) in ((string, int)[])[("dent", dents), ("scratch", scratches), ("ok", whole)])
        {
            Directory.CreateDirectory(Path.Combine(folder, name));
            for (int i = 0; i < count; i++)
                Surface(name, random).Save(Path.Combine(folder, name, $"{i}.png"));
        }
    }

    static Picture Surface(string fault, Random random)
    {
        Picture picture = new(Size, Size, channels: 1);
        double grey = 90 + 80 * random.NextDouble(), slope = 40 * random.NextDouble() - 20;                       // lit from one side
        double row = Size * (0.25 + 0.5 * random.NextDouble()), column = Size * (0.25 + 0.5 * random.NextDouble());    // of the fault's middle
        double radius = 4 + 3 * random.NextDouble(), depth = 30 + 40 * random.NextDouble();
        (double sine, double cosine) = Math.SinCos(Math.PI * random.NextDouble());
        for (int i = 0; i < picture.Pixels.Length; i++)
        {
            double down = i / Size - row, right = i % Size - column, along = cosine * right + sine * down, across = cosine * down - sine * right;
            double value = grey + slope * (i % Size / (double)Size - 0.5) + 24 * (random.NextDouble() - 0.5);
            value += fault switch
            {
                "dent" => -depth * Math.Exp(-(down * down + right * right) / (radius * radius)) * Math.Sign(across),  // light on one side, shadow on the other
                "scratch" when Math.Abs(across) < 0.8 && Math.Abs(along) < 2 * radius => depth,
                _ => 0,
            };
            picture.Pixels[i] = (byte)Math.Clamp(value, 0, 255);
        }
        return picture;
    }
}
