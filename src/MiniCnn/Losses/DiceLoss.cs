using System.Numerics.Tensors;

namespace MiniCnn;

/// <summary>
/// Soft Dice loss of each image: 1 − (2 · Σ p · t + s) / (Σ p + Σ t + s), the sums over its pixels, with p = σ(x) = 1 / (1 + e⁻ˣ) for the logit x and the
/// target t of a pixel. It measures how little the predicted pixels of class 1 overlap the true ones. Use it for two-class masks in which class 1 is rare.
/// </summary>
/// <remarks>
/// The outputs are logits, [N, 1, H, W] or [N, 1]. Targets t are from 0 to 1. Labels are 0, 1 or the ignored label; ignored pixels are excluded from all
/// sums. With I = 2 · Σ p · t + s and U = Σ p + Σ t + s:
/// <code>
/// ∂loss/∂x = −(2 · t · U − I) / U² · p · (1 − p)
/// </code>
/// The mean is over the images with at least one pixel that is not ignored. A <see cref="Trainer"/> has one loss; to combine this loss with
/// <see cref="BceWithLogitsLoss"/>, write your own training loop and add both gradients.
/// Source: Milletari, Navab, Ahmadi, “V-Net”, 2016, with p and t not squared.
/// </remarks>
public sealed class DiceLoss : BinaryLoss
{
    float[] shares = [], rests = [];                             // p and 1 − p of one image

    /// <summary>Creates a Dice loss.</summary>
    /// <param name="smooth">Smoothing term s, at least 0. With s > 0, an image without true and predicted pixels of class 1 has a loss near 0.</param>
    /// <param name="reduction">How Forward reduces the losses to one number.</param>
    /// <exception cref="ArgumentException">smooth is negative or not finite, or the reduction does not exist.</exception>
    public DiceLoss(float smooth = 1, Reduction reduction = Reduction.Mean) : base(reduction)
    {
        if (!(smooth >= 0 && float.IsFinite(smooth)))
            throw new ArgumentException(FormattableString.Invariant($"{Name}: smooth must be finite and at least 0, not {smooth}"));
        Smooth = smooth;
    }

    /// <summary>Smoothing term s, added to numerator and denominator.</summary>
    public float Smooth { get; }

    /// <summary>“DiceLoss(smooth 1; Sum)”.</summary>
    public override string ToString() => FormattableString.Invariant($"{Name}(smooth {Smooth}{(Reduction == Reduction.Mean ? "" : $"; {Reduction}")})");

    private protected override double Compute(Tensor<float> outputs, Tensor<float> targets, ReadOnlySpan<int> labels)
    {
        if (outputs.Rank < 2 || outputs.Lengths[1] != 1)
            throw new ArgumentException($"{Name} takes logits [N, 1, H, W], one channel for two classes, not {Text(outputs.Lengths)}");
        Begin(outputs, outputs.Lengths[..1]);
        int images = Losses.Length, plane = images == 0 ? 0 : Slopes.Length / images, counted = 0;
        if (shares.Length != plane)
            (shares, rests) = (new float[plane], new float[plane]);
        for (int n = 0; n < images; n++)
        {
            ReadOnlySpan<float> x = outputs.AsSpan().Slice(n * plane, plane), t = targets.AsSpan().Slice(n * plane, plane);
            ReadOnlySpan<int> known = labels.IsEmpty ? [] : labels.Slice(n * plane, plane);
            Span<float> slopes = Slopes.Slice(n * plane, plane);
            TensorPrimitives.Sigmoid(x, shares);
            TensorPrimitives.Negate(x, rests);
            TensorPrimitives.Sigmoid(rests, rests);              // σ(−x), because 1 − p loses precision where p is nearly 1
            for (int i = 0; i < known.Length; i++)
            {
                if (known[i] == IgnoreIndex)
                    shares[i] = rests[i] = 0;                    // t is 0 there too
            }
            double both = Smooth, all = Smooth;
            for (int i = 0; i < plane; i++)
            {
                both += 2.0 * shares[i] * t[i];
                all += (double)shares[i] + t[i];
            }
            bool counts = known.IsEmpty || known.ContainsAnyExcept(IgnoreIndex);
            counted += counts ? 1 : 0;
            Losses[n] = counts ? (float)(1 - both / all) : 0;
            for (int i = 0; i < plane; i++)
                slopes[i] = counts ? (float)((both / all - 2 * t[i]) / all * shares[i] * rests[i]) : 0;
        }
        return counted;
    }
}
