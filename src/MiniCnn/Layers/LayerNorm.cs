using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>
/// y = x̂ · weight + bias, number by number, with x̂ = (x − mean) / √(variance + epsilon), mean and biased variance those of the whole image or of
/// all features: the same in training and after it, and for a batch of one.
/// </summary>
/// <remarks>
/// <code>
/// dbias = Σ dy,  dweight = Σ dy·x̂ over the images,  dx = (dx̂ − Mean(dx̂) − x̂ · Mean(dx̂·x̂)) / √(variance + epsilon),  dx̂ = dy · weight
/// </code>
/// where a Mean goes over one image. PyTorch's LayerNorm over all axes but the batch's. Source:
/// https://docs.pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html; Ba, Kiros and Hinton, 2016.
/// </remarks>
public sealed class LayerNorm : Layer
{
    readonly ImageShape shape;
    readonly double epsilon;

    /// <summary>Of features, such as a Linear layer gives. Weights of one and biases of zero.</summary>
    /// <param name="features">Numbers in one sample.</param>
    /// <param name="epsilon">Added to the variance, so that a sample of one value divides by something.</param>
    /// <exception cref="ArgumentException">No features, or an epsilon that is not above 0.</exception>
    public LayerNorm(int features, double epsilon = 1e-5) : this(ImageShape.Features(features), epsilon)
    {
    }

    /// <summary>Of images of one shape. Weights of one and biases of zero.</summary>
    /// <param name="shape">Channels and size of x and y.</param>
    /// <param name="epsilon">Added to the variance, so that an image of one value divides by something.</param>
    /// <exception cref="ArgumentException">A shape without numbers, or an epsilon that is not above 0.</exception>
    public LayerNorm(ImageShape shape, double epsilon = 1e-5)
    {
        if (shape.Channels < 1 || shape.Height < 1 || shape.Width < 1)
            throw new ArgumentException($"LayerNorm needs sizes of at least 1, not {shape}");
        if (!(epsilon > 0 && double.IsFinite(epsilon)))
            throw new ArgumentException(FormattableString.Invariant($"LayerNorm needs epsilon > 0, not {epsilon}"));
        (this.shape, this.epsilon) = (shape, epsilon);
        ReadOnlySpan<nint> lengths = shape.IsFlat ? [shape.Channels] : [shape.Channels, shape.Height, shape.Width];
        (Weight, Bias) = (new(this, "weight", lengths), new(this, "bias", lengths));
        Parameters = [Weight, Bias];
        Initialize(seed: 0);
    }

    /// <summary>[C, H, W], or [features]; PyTorch's name, a factor.</summary>
    public Parameter Weight { get; }

    /// <summary>[C, H, W], or [features].</summary>
    public Parameter Bias { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters { get; }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        if (input != shape)
            Refuse($"takes {(shape.IsFlat ? "" : "images of ")}{shape}, not {input}");
        return input;
    }

    /// <summary>“LayerNorm(8×28×28)”, “LayerNorm(128)”.</summary>
    public override string ToString() => FormattableString.Invariant(
        $"LayerNorm({(shape.IsFlat ? $"{shape.Channels}" : $"{shape}")}{(epsilon == 1e-5 ? "" : $", epsilon {epsilon}")})");

    internal override IReadOnlyList<(string Name, JsonNode Value)>? Arguments => [("shape", shape.ToJson()), ("epsilon", epsilon)];

    internal override void Initialize(TorchGenerator generator)
    {
        Init.Constant(Weight, 1);
        Init.Constant(Bias, 0);
    }

    int Pixels => shape.Height * shape.Width;

    internal override unsafe void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context)
    {
        fixed (T* weight = Weight.ValueAs<T>(), bias = Bias.ValueAs<T>())
            new ImageNorm<T>(1, Pixels, weight).Forward(x, y, bias, epsilon, context.State<ImageNormBuffers<T>>());
    }

    internal override unsafe void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        fixed (T* weight = Weight.ValueAs<T>(), dweight = Weight.GradientAs<T>(), dbias = Bias.GradientAs<T>())
        {
            T* toWeight = Weight.Trainable ? dweight : null, toBias = Bias.Trainable ? dbias : null;
            Simd.Run(x, shape.Channels, x.Blocks * x.PlanePitch, new ParameterGradients<T>(x, dy, context.State<ImageNormBuffers<T>>().Image.Kept, toWeight, toBias));
            if (dx is not null)
                new ImageNorm<T>(1, Pixels, weight).Backward(x, dy, dx, context.State<ImageNormBuffers<T>>());
        }
    }

    /// <summary>One channel of dbias += Σ dy and dweight += Σ dy·x̂: sums over the lanes, block by block.</summary>
    readonly unsafe struct ParameterGradients<T>(LaneTensor<T> x, LaneTensor<T> dy, LaneTensor<T> image, T* dweight, T* dbias) : ILaneWork<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int c) where V : struct, ILanes<V, T>
        {
            T* gradients = stackalloc T[LaneTensor<T>.FullLanes], products = stackalloc T[LaneTensor<T>.FullLanes];
            for (int block = 0; block < x.Blocks; block++)
            {
                T* mean = image.At(block, 0, 0), inverse = image.At(block, 1, 0);
                int live = Math.Min(x.Lanes, x.Count - block * x.Lanes);
                nint at = (nint)c * x.Shape.Height * x.Shape.Width;
                for (int row = 0; row < x.Shape.Height; row++)
                    for (int column = 0; column < x.Shape.Width; column++, at++)
                    {
                        T* px = x.At(block, c, row) + column * x.Lanes, pdy = dy.At(block, c, row) + column * x.Lanes;
                        for (int lane = 0; lane < x.Lanes; lane += V.Count)
                        {
                            V gradient = V.Load(pdy + lane);
                            gradient.Store(gradients + lane);
                            (gradient * ((V.Load(px + lane) - V.Load(mean + lane)) * V.Load(inverse + lane))).Store(products + lane);
                        }
                        if (dweight is not null)
                            dweight[at] += LaneSum.Of<T, V>(products, x.Lanes, live);
                        if (dbias is not null)
                            dbias[at] += LaneSum.Of<T, V>(gradients, x.Lanes, live);
                    }
            }
        }
    }
}
