using System.Numerics;

namespace MiniCnn.Examples.CatsVsDogs;

/// <summary>Draws faces of cats and dogs, for runs without photos.</summary>
/// <remarks>
/// Cats have pointed ears, slit pupils, a short muzzle and whiskers. Dogs have ears that hang or fold over, round eyes, a long snout, and
/// some a tongue. Fur, patches and backgrounds have the same distribution for both, so that colors do not give away the class.
/// </remarks>
static class DrawnPets
{
    static readonly string[] names = ["cat", "dog"];

    // Brown, ginger, cream, gray, black and white: red, green, blue from 0 to 1.
    static readonly Vector3[] furs =
    [
        new(0.42f, 0.27f, 0.16f), new(0.60f, 0.42f, 0.25f), new(0.80f, 0.48f, 0.20f), new(0.88f, 0.76f, 0.58f), new(0.55f, 0.55f, 0.56f),
        new(0.32f, 0.33f, 0.36f), new(0.13f, 0.12f, 0.12f), new(0.93f, 0.92f, 0.90f), new(0.70f, 0.62f, 0.52f), new(0.28f, 0.18f, 0.12f),
    ];
    static readonly Vector3[] irises =
    [
        new(0.45f, 0.60f, 0.20f), new(0.80f, 0.65f, 0.15f), new(0.45f, 0.65f, 0.85f), new(0.70f, 0.42f, 0.12f), new(0.35f, 0.20f, 0.10f),
    ];
    static readonly Vector3 black = new(0.06f), white = new(0.97f), pink = new(0.88f, 0.56f, 0.55f), red = new(0.85f, 0.33f, 0.36f);

    /// <summary>Draws cat, dog, cat, … An image depends only on the seed and its index.</summary>
    /// <param name="count">Number of images.</param>
    /// <param name="size">Height and width in pixels.</param>
    /// <param name="seed">Use different seeds for training and test images.</param>
    /// <returns>Images [3, size, size] of the classes cat and dog.</returns>
    public static LabeledImages Draw(int count, int size, int seed)
    {
        if ((long)count * 3 * size * size > Array.MaxLength)
            throw new ArgumentException($"{count} images of 3×{size}×{size} do not fit an array; draw fewer or smaller ones");
        byte[] pixels = new byte[count * 3 * size * size];
        int[] labels = [.. Enumerable.Range(0, count).Select(i => i % 2)];
        Random order = new(seed);
        int[] seeds = [.. labels.Select(_ => order.Next())];
        int length = 3 * size * size;
        Parallel.For(0, count, i => new Pet(new Random(seeds[i]), isDog: labels[i] == 1, size).Write(pixels.AsSpan(i * length, length)));
        return new(pixels, labels, new ImageShape(3, size, size), classes: 2, [0.5f, 0.5f, 0.5f], [0.25f, 0.25f, 0.25f], names);
    }

    /// <summary>One image. The center of the head is (0, 0), its radius about 1; x points right and y points down.</summary>
    sealed class Pet
    {
        readonly Random random;
        readonly int size;
        readonly Vector3[] image;           // [H, W]

        // Pixel = origin + x · right + y · down.
        Vector2 origin, right, down;

        public Pet(Random random, bool isDog, int size)
        {
            (this.random, this.size, image) = (random, size, new Vector3[size * size]);
            (origin, right, down) = (default, new(size, 0), new(0, size));
            Background();

            float scale = Between(0.27f, 0.36f) * size, tangent = Between(-0.3f, 0.3f), cosine = 1 / MathF.Sqrt(1 + tangent * tangent);
            right = new Vector2(cosine, tangent * cosine) * scale * Between(0.9f, 1.1f);
            down = new Vector2(-tangent * cosine, cosine) * scale;
            origin = new(size * Between(0.42f, 0.58f), size * Between(0.46f, 0.58f));

            Vector3 fur = Fur(), second = Fur(), patch = Fur();
            Vector2 turn = new(Between(-0.22f, 0.22f), Between(-0.1f, 0.1f));       // direction of the face
            Ellipse(new(Between(-0.4f, 0.4f), 2), new(Between(0.8f, 1.2f), 1.3f), 0, fur * 0.9f);
            if (isDog)
                Dog(fur, second, patch, turn);
            else
                Cat(fur, second, patch, turn);
            Light();
        }

        void Cat(Vector3 fur, Vector3 second, Vector3 patch, Vector2 turn)
        {
            Vector2 head = new(Between(0.9f, 1.05f), Between(0.76f, 0.9f));
            float tip = Between(-1.5f, -1.2f), spread = Between(0.62f, 0.85f);
            foreach (int side in sides)
            {
                Vector2 inner = new(side * 0.2f, -0.62f), outer = new(side * 0.93f, -0.25f), top = new(side * spread + Between(-0.08f, 0.08f), tip);
                Polygon(fur * 0.95f, 0.04f, inner, top, outer);
                Vector2 middle = (inner + outer + top) / 3;
                (Vector2 a, Vector2 b, Vector2 c) = (0.55f * (inner - middle), 0.6f * (top - middle), 0.5f * (outer - middle));
                Polygon(Vector3.Lerp(pink, fur, 0.3f), 0.02f, middle + a, middle + b, middle + c);
            }
            Head(head, fur, patch);
            Ellipse(turn + new Vector2(-0.17f, 0.4f), new(0.24f, 0.2f), 0, Vector3.Lerp(second, white, 0.3f));
            Ellipse(turn + new Vector2(0.17f, 0.4f), new(0.24f, 0.2f), 0, Vector3.Lerp(second, white, 0.3f));

            Vector3 iris = Pick(irises);
            float open = Between(0.14f, 0.2f), slit = Between(0.035f, 0.075f), slant = Between(0.1f, 0.35f), apart = Between(0.36f, 0.45f);
            foreach (int side in sides)
            {
                Vector2 eye = turn + new Vector2(side * apart, -0.08f);
                Ellipse(eye, new(0.25f, open + 0.035f), -side * slant, black);
                Ellipse(eye, new(0.22f, open), -side * slant, iris);
                Ellipse(eye, new(slit, open * 0.95f), 0, black);
                Ellipse(eye + new Vector2(0.05f, -0.06f), new(0.035f, 0.035f), 0, white);
            }
            Vector2 nose = turn + new Vector2(0, 0.24f);
            Vector3 skin = random.Next(2) == 0 ? pink * 0.9f : black;
            Polygon(skin, 0.03f, nose + new Vector2(-0.1f, -0.04f), nose + new Vector2(0.1f, -0.04f), nose + new Vector2(0, 0.08f));
            Line(nose + new Vector2(0, 0.08f), nose + new Vector2(0, 0.2f), 0.035f, black, 0.8f);
            Vector3 whisker = Pick([white, white, black]);
            foreach (int side in sides)
            {
                Line(nose + new Vector2(0, 0.2f), nose + new Vector2(side * 0.17f, 0.27f), 0.035f, black, 0.8f);
                float droop = Between(-0.1f, 0.15f);
                for (int i = -1; i <= 1; i++)
                {
                    (Vector2 root, Vector2 end) = (new(side * 0.26f, 0.14f + 0.07f * i), new(side * Between(1, 1.25f), 0.14f + droop + 0.22f * i));
                    Line(nose + root, nose + end, 0.025f, whisker, 0.75f);
                }
            }
        }

        void Dog(Vector3 fur, Vector3 second, Vector3 patch, Vector2 turn)
        {
            Vector2 head = new(Between(0.78f, 0.92f), Between(0.86f, 1));
            Vector3 ear = Pick([fur * 0.85f, patch, Vector3.Lerp(fur, black, 0.4f)]);
            bool folded = random.Next(3) == 0;
            float length = Between(0.5f, 0.72f), lift = Between(0.15f, 0.5f);
            if (folded)
                foreach (int side in sides)     // The upright part; the tip folds over to the side.
                    Polygon(ear, 0.1f, new(side * 0.15f, -0.75f), new(side * 0.66f, -1.12f), new(side * 0.86f, -0.4f));
            Head(head, fur, patch);
            foreach (int side in sides)
            {
                if (folded)
                    Polygon(ear * 0.8f, 0.08f, new(side * 0.5f, -1.1f), new(side * 0.8f, -1.1f), new(side * Between(0.98f, 1.12f), -0.45f));
                else
                    Ellipse(new(side * (0.74f + 0.35f * lift), -0.55f + 0.75f * length), new(Between(0.24f, 0.32f), length), -side * lift, ear);
            }

            // The long snout points to the viewer: nearer parts move more when the head turns.
            Vector3 muzzle = Vector3.Lerp(second, white, 0.15f);
            float snout = Between(0.5f, 0.62f);
            Ellipse(1.3f * turn + new Vector2(0, 0.25f), new(0.3f, 0.55f), 0, muzzle);
            Ellipse(1.7f * turn + new Vector2(0, 0.52f), new(Between(0.36f, 0.46f), snout * 0.72f), 0, muzzle * 0.97f);

            Vector3 iris = Pick(irises);
            float eyes = Between(0.11f, 0.145f), apart = Between(0.34f, 0.42f);
            foreach (int side in sides)
            {
                Vector2 eye = turn + new Vector2(side * apart, -0.22f);
                Ellipse(eye, new(eyes + 0.045f, eyes + 0.035f), 0, black);
                Ellipse(eye, new(eyes, eyes), 0, iris * 0.8f);
                Ellipse(eye, new(eyes * 0.6f, eyes * 0.6f), 0, black);
                Ellipse(eye + new Vector2(0.04f, -0.05f), new(0.035f, 0.035f), 0, white);
            }
            Vector2 nose = 1.9f * turn + new Vector2(0, Between(0.3f, 0.4f)), mouth = nose + new Vector2(0, 0.36f);
            if (random.Next(2) == 0)
                Ellipse(mouth + new Vector2(Between(-0.08f, 0.08f), 0.2f), new(Between(0.12f, 0.17f), Between(0.2f, 0.3f)), 0, red);
            Ellipse(nose, new(Between(0.18f, 0.23f), Between(0.13f, 0.16f)), 0, random.Next(6) == 0 ? pink * 0.8f : black);
            Ellipse(nose + new Vector2(-0.05f, -0.05f), new(0.06f, 0.03f), 0, white, 0.4f);
            Line(nose + new Vector2(0, 0.1f), mouth, 0.04f, black, 0.8f);
            foreach (int side in sides)
                Line(mouth, mouth + new Vector2(side * 0.26f, -0.03f), 0.045f, black, 0.8f);
        }

        // The skull with strokes of fur; some heads have a patch over an eye, a blaze or stripes.
        void Head(Vector2 radii, Vector3 fur, Vector3 patch)
        {
            Ellipse(default, radii, 0, fur);
            int kind = random.Next(4);
            if (kind == 0)
                Ellipse(new(Sign() * 0.4f, -0.15f), new(0.33f, 0.38f), Between(-0.5f, 0.5f), patch);
            if (kind == 1)
                Polygon(patch, 0.08f, new(-0.1f, -0.6f), new(0.1f, -0.6f), new(0.14f, 0.3f), new(-0.14f, 0.3f));
            if (kind == 2)
                for (int i = -1; i <= 1; i++)
                    Line(new(0.16f * i, -radii.Y * 0.92f), new(0.13f * i, -0.4f), 0.07f, patch * 0.7f, 0.8f);
            for (int i = 0; i < 50; i++)
            {
                Vector2 at = new(Between(-0.8f, 0.8f), Between(-0.75f, 0.8f));
                Vector2 end = at + new Vector2(0.1f * at.X + Between(-0.04f, 0.04f), Between(0.08f, 0.2f));
                if ((at / radii).LengthSquared() < 0.8f)
                    Line(at, end, 0.03f, random.Next(2) == 0 ? white : black, Between(0.04f, 0.16f));
            }
        }

        // A color gradient with random shapes in random colors.
        void Background()
        {
            Vector3 here = Color(), there = Color();
            Vector2 way = new(Between(-1, 1), Between(-1, 1));
            for (int i = 0; i < image.Length; i++)
                image[i] = Vector3.Lerp(here, there, Math.Clamp(0.5f + Vector2.Dot(way, Place(i)), 0, 1));
            for (int things = random.Next(9); things > 0; things--)
            {
                Vector2 at = new(Between(0, 1), Between(0, 1)), reach = new(Between(0.04f, 0.25f), Between(0.04f, 0.25f));
                float opacity = Between(0.3f, 1);
                if (random.Next(3) == 0)
                    Line(at, at + 4 * (reach - new Vector2(0.145f)), Between(0.01f, 0.05f), Color(), opacity);
                else if (random.Next(2) == 0)
                    Ellipse(at, reach, Between(-1, 1), Color(), opacity);
                else
                    Polygon(Color(), 0.01f, at - reach, at + new Vector2(reach.X, -reach.Y * Between(-0.5f, 1)), at + new Vector2(reach.Y, reach.X));
            }
        }

        // Light from one side, contrast, brightness and camera noise.
        void Light()
        {
            float contrast = Between(0.75f, 1.1f), brightness = Between(-0.1f, 0.1f), noise = Between(0.01f, 0.05f);
            Vector2 way = new(Between(-0.2f, 0.2f), Between(-0.2f, 0.2f));
            for (int i = 0; i < image.Length; i++)
            {
                float light = 1 + Vector2.Dot(way, Place(i));
                Vector3 grain = new(Between(-1, 1) + Between(-1, 1), Between(-1, 1) + Between(-1, 1), Between(-1, 1) + Between(-1, 1));
                image[i] = new Vector3(0.5f + brightness) + contrast * (light * image[i] - new Vector3(0.5f)) + noise * grain;
            }
        }

        /// <summary>Writes the image as bytes, [3, H, W].</summary>
        public void Write(Span<byte> pixels)
        {
            for (int c = 0; c < 3; c++)
                for (int i = 0; i < image.Length; i++)
                    pixels[c * image.Length + i] = (byte)Math.Clamp(255 * image[i][c] + 0.5f, 0, 255);
        }

        void Ellipse(Vector2 middle, Vector2 radii, float tangent, Vector3 color, float opacity = 1)
        {
            float cosine = 1 / MathF.Sqrt(1 + tangent * tangent), sine = tangent * cosine, reach = Math.Max(radii.X, radii.Y);
            Paint(middle - new Vector2(reach), middle + new Vector2(reach), color, opacity, at =>
            {
                Vector2 p = at - middle;
                p = new(cosine * p.X + sine * p.Y, cosine * p.Y - sine * p.X);
                float far = (p / radii).Length(), slope = (p / (radii * radii)).Length();
                return slope > 0 ? far * (far - 1) / slope : -reach;        // approximate distance from the rim
            });
        }

        /// <summary>Draws a convex polygon with round corners.</summary>
        void Polygon(Vector3 color, float round, params Vector2[] corners)
        {
            Vector2 middle = corners.Aggregate((a, b) => a + b) / corners.Length;
            Paint(corners.Aggregate(Vector2.Min) - new Vector2(round), corners.Aggregate(Vector2.Max) + new Vector2(round), color, 1, at =>
            {
                float outside = float.NegativeInfinity;
                for (int i = 0; i < corners.Length; i++)
                {
                    Vector2 edge = corners[(i + 1) % corners.Length] - corners[i], normal = Vector2.Normalize(new(edge.Y, -edge.X));
                    float sign = Vector2.Dot(normal, corners[i] - middle) < 0 ? -1 : 1;
                    outside = Math.Max(outside, sign * Vector2.Dot(normal, at - corners[i]));
                }
                return outside - round;
            });
        }

        void Line(Vector2 from, Vector2 to, float width, Vector3 color, float opacity)
        {
            Vector2 way = to - from;
            Paint(Vector2.Min(from, to) - new Vector2(width), Vector2.Max(from, to) + new Vector2(width), color, opacity, at =>
                Vector2.Distance(at, from + Math.Clamp(Vector2.Dot(at - from, way) / Math.Max(way.LengthSquared(), 1e-6f), 0, 1) * way) - width / 2);
        }

        /// <summary>Blends a color into the pixels of a box where a shape covers them. The distance to the shape is negative inside.</summary>
        void Paint(Vector2 low, Vector2 high, Vector3 color, float opacity, Func<Vector2, float> distance)
        {
            Vector2[] corners = [Pixel(low), Pixel(high), Pixel(new(low.X, high.Y)), Pixel(new(high.X, low.Y))];
            Vector2 first = Vector2.Max(corners.Aggregate(Vector2.Min) - Vector2.One, default);
            Vector2 last = Vector2.Min(corners.Aggregate(Vector2.Max) + Vector2.One, new(size - 1));
            float determinant = right.X * down.Y - right.Y * down.X, pixelsPerUnit = MathF.Sqrt(Math.Abs(determinant));
            for (int y = (int)first.Y; y <= (int)last.Y; y++)
                for (int x = (int)first.X; x <= (int)last.X; x++)
                {
                    Vector2 p = new Vector2(x + 0.5f, y + 0.5f) - origin;
                    Vector2 at = new Vector2(p.X * down.Y - p.Y * down.X, p.Y * right.X - p.X * right.Y) / determinant;
                    float cover = Math.Clamp(0.5f - distance(at) * pixelsPerUnit, 0, 1);
                    image[y * size + x] = Vector3.Lerp(image[y * size + x], color, opacity * cover);
                }
        }

        static readonly int[] sides = [-1, 1];

        // The position of a pixel, from −½ to ½.
        Vector2 Place(int pixel) => new((float)(pixel % size) / size - 0.5f, (float)(pixel / size) / size - 0.5f);

        Vector2 Pixel(Vector2 at) => origin + at.X * right + at.Y * down;

        Vector3 Fur() => Pick(furs) * Between(0.85f, 1.1f) + new Vector3(Between(-0.04f, 0.04f), Between(-0.04f, 0.04f), Between(-0.04f, 0.04f));

        Vector3 Color() => random.Next(3) == 0 ? Fur() : new(Between(0, 1), Between(0, 1), Between(0, 1));

        T Pick<T>(T[] choices) => choices[random.Next(choices.Length)];

        int Sign() => random.Next(2) == 0 ? -1 : 1;

        float Between(float low, float high) => low + (high - low) * random.NextSingle();
    }
}
