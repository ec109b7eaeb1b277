using System.Numerics.Tensors;
using Module = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace MiniCnn.Interop;

/// <summary>Where and by how much a model and a TorchSharp module of the same net differ.</summary>
public static partial class Parity
{
    /// <summary>How often the module runs with rounding put in by chance.</summary>
    const int Draws = 6;

    /// <summary>
    /// Runs both on the module's weights and the same batch, forward and, in training, backward, and compares them layer by layer. Model and module are
    /// left as they were, to the bit.
    /// </summary>
    /// <remarks>
    /// The module computes in double on the CPU, which stands for the exact result. Two things are then asked.
    /// <list type="number">
    /// <item>Is a layer the same function? Each layer of the model computes in double on the very numbers that the module's got. What differs there is no rounding.
    /// Dropout is compared by how it scales what it keeps; its masks are the module's.</item>
    /// <item>How far does rounding go? The model runs whole in float. The bound is the largest change in six runs of the module in which every input,
    /// parameter and output is moved by ±√k·2⁻²⁴ of itself by chance, k the longest sum of the net, and √k·2⁻²⁴ of the largest number
    /// (Parker, Monte Carlo Arithmetic, 1997; Higham and Mary, A New Approach to Probabilistic Rounding Error Analysis, 2019).</item>
    /// </list>
    /// Layers are paired with the calls of the module's modules in the order in which they run, by kind and by the shapes of their parameters. Functions that a module's
    /// forward calls, such as <c>relu</c> or <c>flatten</c>, are not seen as modules; what comes out of them is compared where it goes into the next module.
    /// </remarks>
    /// <param name="model">A model, or a layer.</param>
    /// <param name="module">
    /// What <see cref="TorchSharpBridge.ToTorchSharp"/> made, or a module of your own whose layers are called by <c>.call(x)</c>. It runs in the mode
    /// that it is in: call <c>train()</c> or <c>eval()</c> before.
    /// </param>
    /// <param name="batch">[N, C, H, W] or [N, features]; eight images show as much as many.</param>
    /// <param name="training">The model's mode. In evaluation there is no backward pass.</param>
    /// <param name="moduleBatch">The batch as the module's program makes it, if that is to be compared too.</param>
    /// <exception cref="ArgumentException">The batch is empty, or has NaN or infinity.</exception>
    public static ParityReport Compare(Layer model, Module module, Tensor<float> batch, bool training = true, TorchSharp.torch.Tensor? moduleBatch = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.FlattenedLength == 0 || batch.AsSpan().ContainsAnyExceptInRange(float.MinValue, float.MaxValue))
            throw new ArgumentException($"a batch of finite numbers is needed, not [{string.Join(", ", batch.Lengths.ToArray())}]{(batch.FlattenedLength == 0 ? "" : " with NaN or infinity")}", nameof(batch));
        TorchLibrary.Load();
        Values x = Values.Of(batch), given = moduleBatch is null ? x : Values.Of(moduleBatch);
        using ModuleInDouble inDouble = new(module);
        ModuleRecord exact = inDouble.Run(given, backward: training);
        SetBounds(inDouble, exact, given, training);
        using Comparison comparison = new(model, module, x, exact, training);
        return comparison.Run(inDouble.NotIn(exact));
    }

    static void SetBounds(ModuleInDouble module, ModuleRecord exact, Values x, bool backward)
    {
        double terms = exact.Calls.SelectMany(call => call.Parameters.Values.Select(p => p.Numbers.Length / p.Shape[0])
            .Append(call.Y.Numbers.Length / Math.Max(call.Y.Shape.ElementAtOrDefault(1), 1))).DefaultIfEmpty(1).Max();
        double share = Math.Sqrt(terms) * Math.ScaleB(1, -24);
        foreach (Values values in exact.All)
            values.Bound = share * values.Largest;
        for (int draw = 0; draw < Draws; draw++)
        {
            ModuleRecord moved = module.Run(x, backward, new Random(draw), share);
            foreach ((Values values, (double change, _)) in exact.All.Zip(moved.All, (values, other) => (values, values.DifferenceFrom(other))).Where(pair => double.IsFinite(pair.Item2.Error)))
                values.Bound = Math.Max(values.Bound, change + share * values.Largest);
        }
    }
}
