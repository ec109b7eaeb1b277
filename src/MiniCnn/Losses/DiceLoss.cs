using System.Numerics.Tensors;

namespace MiniCnn;

/// <summary>
/// How little the pixels taken for class 1 overlap with those that are of it, for masks of two classes in which one is rare: of each image
/// 1 − (2 · Σ p · t + s) / (Σ p + Σ t + s), with p = σ(x) = 1 / (1 + e⁻ˣ) of each pixel's logit x and its target t.
/// </summary>
/// <remarks>
/// The soft Dice loss. The outputs are logits, [N, 1, H, W] or [N, 1]; targets t lie from 0 to 1, labels are 0 or 1, and pixels whose label is ignored are
/// left out of all sums. With I = 2 · Σ p · t + s and U = Σ p + Σ t + s
/// <code>
/// ∂loss/∂x = −(2 · t · U − I) / U² · p · (1 − p)
/// </code>
/// The mean is over the images that have a pixel which is not ignored. To train by this and <see cref="BceWithLogitsLoss"/> together, add both gradients in
/// a loop of your own: a <see cref="Trainer"/> takes one loss.
/// Source: Milletari, Navab, Ahmadi, “V-Net”, 2016, with p and t not squared.
/// </remarks>
public sealed class DiceLoss : BinaryLoss
{
    float[] shares = [], rests = [];                             // of an image: p, 1 − p

    /// <summary>The losses of images.</summary>
    /// <param name="smooth">s, at least 0: with more than 0 an image without class 1, where none is found, has a loss near 0.</param>
    /// <param name="reduction">How Forward makes one number of the losses.</param>
    /// <exception cref="ArgumentException">A smooth below 0 or not finite.</exception>
    public DiceLoss(float smooth = 1, Reduction reduction = Reduction.Mean) : base(reduction)
    {
        if (!(smooth >= 0 && float.IsFinite(smooth)))
            throw new ArgumentException(FormattableString.Invariant($"{Name}: smooth must be finite and at least 0, not {smooth}"));
        Smooth = smooth;
    }

    /// <summary>What is added above and below.</summary>
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
            TensorPrimitives.Sigmoid(rests, rests);              // not 1 − p, which loses the digits of a small one
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
