using System.Numerics.Tensors;
using System.Security.Cryptography;

namespace MiniCnn.Tests;

public class DrawnDigitsTests
{
    const int Side = 28, Pixels = Side * Side;

    [Fact]
    public void Digits_are_28_by_28_and_each_class_comes_equally_often()
    {
        var digits = DrawnDigits.Draw(1000, seed: 5);
        Assert.Equal(new ImageShape(1, Side, Side), digits.Shape);
        Assert.Equal((1000, 10), (digits.Count, digits.Classes));
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => i % 10), digits.Labels.ToArray());
    }

    [Fact]
    public void A_seed_always_draws_the_same_bytes()
    {
        // Recorded. It changes with every change of a model or of the drawing, but must not with the machine.
        byte[] hash = SHA256.HashData(DrawnDigits.Draw(1000, seed: 1).Pixels);
        Assert.Equal("FA599DE15AD003D56CB34D3B89857C6D0D4C66F8DE1F3BD01E4F1D5965109C5B", Convert.ToHexString(hash));
    }

    [Fact]
    public void An_image_depends_on_seed_and_index_alone()
    {
        var (few, many, other) = (DrawnDigits.Draw(30, seed: 7), DrawnDigits.Draw(300, seed: 7), DrawnDigits.Draw(300, seed: 8));
        Assert.Equal(few.Pixels, many.Pixels[..(30 * Pixels)]);
        for (int i = 0; i < 300; i++)
            Assert.False(Image(many, i).SequenceEqual(Image(other, i)), $"seeds 7 and 8 draw the same image {i}");
    }

    [Fact]
    public void No_two_digits_are_alike()
    {
        var digits = DrawnDigits.Draw(5000, seed: 3);
        var seen = new HashSet<string>();
        for (int i = 0; i < digits.Count; i++)
            Assert.True(seen.Add(Convert.ToBase64String(Image(digits, i))), $"image {i} was there before");
    }

    [Fact]
    public void Digits_are_sized_and_centred_as_MNIST_does()
    {
        var digits = DrawnDigits.Draw(3000, seed: 4);
        for (int i = 0; i < digits.Count; i++)
        {
            double mass = 0, massX = 0, massY = 0;
            int left = Side, right = -1, top = Side, bottom = -1, ink = 0;
            for (int p = 0; p < Pixels; p++)
            {
                int value = Image(digits, i)[p], x = p % Side, y = p / Side;
                (mass, massX, massY) = (mass + value, massX + value * x, massY + value * y);
                if (value < 64)
                    continue;
                (left, right, top, bottom) = (int.Min(left, x), int.Max(right, x), int.Min(top, y), int.Max(bottom, y));
                ink++;
            }
            Assert.InRange(massX / mass, 13.3, 14.7);
            Assert.InRange(massY / mass, 13.3, 14.7);
            Assert.InRange(int.Max(right - left, bottom - top) + 1, 17, 22);
            Assert.InRange(ink, 15, 350);       // of 784
        }
    }

    [Fact]
    public void Paper_is_0_and_ink_is_near_255()
    {
        var digits = DrawnDigits.Draw(2000, seed: 6);
        double Share(Func<byte, bool> counts) => digits.Pixels.ToArray().Count(counts) / (double)(2000 * Pixels);
        Assert.InRange(Share(value => value == 0), 0.7, 0.9);       // MNIST: 0.81
        Assert.InRange(Share(value => value > 223), 0.06, 0.15);    // MNIST: 0.09
        for (int i = 0; i < digits.Count; i++)
            Assert.True(Image(digits, i).ToArray().Max() > 110, $"image {i} is too faint");
    }

    [Fact]
    public void Every_model_is_about_100_high_and_every_curve_goes_somewhere()
    {
        Assert.Equal(10, DigitStrokes.Models.Length);
        foreach (var model in DigitStrokes.Models.SelectMany(models => models))
        {
            var points = model.SelectMany(curve => curve.Points).ToList();
            Assert.All(points, point => Assert.True(point is { X: >= 0 and <= 100, Y: >= 0 and <= 100 }));
            Assert.InRange(points.Max(point => point.Y) - points.Min(point => point.Y), 80, 100);
            Assert.All(model, curve => Assert.True(curve.Points.Length + (curve.Continues ? 1 : 0) >= 2));
            Assert.False(model[0].Continues);
        }
    }

    [Fact]
    public void A_linear_model_learns_them_but_stays_below_97_percent()
    {
        double accuracy = LinearAccuracy(DrawnDigits.Draw(8000, seed: 1), DrawnDigits.Draw(2000, seed: 2));
        Assert.InRange(accuracy, 0.60, 0.97);
    }

    [Fact]
    public void A_count_that_cannot_be_drawn_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => DrawnDigits.Draw(-1, seed: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => DrawnDigits.Draw(int.MaxValue, seed: 0));
        Assert.Equal(0, DrawnDigits.Draw(0, seed: 0).Count);
    }

    static ReadOnlySpan<byte> Image(LabeledImages digits, int i) => digits.Image(i);

    /// <summary>Trains softmax regression by gradient descent, one image a step, for ten epochs. Returns its accuracy on the other set.</summary>
    static double LinearAccuracy(LabeledImages train, LabeledImages test)
    {
        var w = new float[10][];            // [10, pixels and 1 for the bias]
        for (int k = 0; k < 10; k++)
            w[k] = new float[Pixels + 1];
        var x = new float[Pixels + 1];
        var p = new float[10];
        for (int epoch = 0; epoch < 10; epoch++)
            for (int i = 0; i < train.Count; i++)
            {
                Predict(train, i);
                TensorPrimitives.SoftMax(p, p);
                p[train.Labels[i]] -= 1;    // ∂loss/∂logits
                for (int k = 0; k < 10; k++)
                    TensorPrimitives.MultiplyAdd(x, -0.01f / (1 + epoch) * p[k], w[k], w[k]);
            }
        int right = 0;
        for (int i = 0; i < test.Count; i++)
        {
            Predict(test, i);
            if (TensorPrimitives.IndexOfMax<float>(p) == test.Labels[i])
                right++;
        }
        return right / (double)test.Count;

        void Predict(LabeledImages digits, int i)
        {
            for (int j = 0; j < Pixels; j++)
                x[j] = Image(digits, i)[j] / 255f;
            x[Pixels] = 1;
            for (int k = 0; k < 10; k++)
                p[k] = TensorPrimitives.Dot<float>(w[k], x);
        }
    }
}
