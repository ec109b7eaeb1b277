using System.Numerics.Tensors;
using Module = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace MiniCnn.Interop;

/// <summary>Where and by how much a model and a TorchSharp module of the same net differ.</summary>
public static partial class Parity
{
    /// <summary>How many runs of the module have random rounding added.</summary>
    const int Draws = 6;

    /// <summary>
    /// Compares a model and a module layer by layer. Both run on the module's weights and the same batch, forward and backward. Model and module are
    /// left as they were, to the bit.
    /// </summary>
    /// <remarks>
    /// The module computes in double on the CPU; its results stand for the exact ones. The comparison then answers two questions.
    /// <list type="number">
    /// <item>Is a layer the same function? Each layer of the model computes in double on the very numbers that the module's got. A difference there
    /// is not rounding. Dropout is compared by how it scales what it keeps; its masks are the module's.</item>
    /// <item>How far does rounding go? The whole model runs in float. The bound is the largest change in six runs of the module, plus √k·2⁻²⁴ of the
    /// tensor's largest number, where k is the length of the longest sum in the net. In these runs every input, parameter and output is changed at
    /// random by ±√k·2⁻²⁴ of itself (Parker, Monte Carlo Arithmetic, 1997; Higham and Mary, A New Approach to Probabilistic Rounding Error Analysis,
    /// 2019).</item>
    /// </list>
    /// The model's <see cref="Layer.ConvolutionAlgorithm"/> counts: Winograd's rounding errors are some 4 times those of the direct sum.
    /// Layers are paired with the calls of the module's modules in the order in which they run, by kind and by the shapes of their parameters.
    /// Functions that a module's forward calls, such as <c>relu</c> or <c>flatten</c>, are not seen as modules; their results are compared where they
    /// go into the next module.
    /// </remarks>
    /// <param name="model">A model, or a layer.</param>
    /// <param name="module">
    /// What <see cref="TorchSharpBridge.ToTorchSharp"/> made, or a module of your own whose layers are called by <c>.call(x)</c>. It runs in its
    /// current mode: call <c>train()</c> or <c>eval()</c> before.
    /// </param>
    /// <param name="batch">[N, C, H, W] or [N, features]; eight images show as much as many.</param>
    /// <param name="training">The model's mode; layers with <see cref="Layer.HoldInEvaluation"/> are in evaluation in any case.</param>
    /// <param name="moduleBatch">The batch as the module's program makes it, if that is to be compared too.</param>
    /// <exception cref="ArgumentException">The batch is empty, or has NaN or infinity.</exception>
    public static ParityReport Compare(
        Layer model, Module module, Tensor<float> batch, bool training = true, TorchSharp.torch.Tensor? moduleBatch = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(batch);
        Values x = Values.Of(batch);
        if (x.Numbers.Length == 0 || !x.IsFinite)
        {
            string why = x.Numbers.Length == 0 ? "" : " with NaN or infinity";
            throw new ArgumentException($"a batch of finite numbers is needed, not {x}{why}", nameof(batch));
        }
        TorchLibrary.Load();
        Values given = moduleBatch is null ? x : Values.Of(moduleBatch);
        using ModuleInDouble inDouble = new(module);
        ModuleRecord exact = inDouble.Run(given, backward: true);
        SetBounds(inDouble, exact, given);
        using Comparison comparison = new(model, module, x, exact, training);
        return comparison.Run(inDouble.NotIn(exact));
    }

    static void SetBounds(ModuleInDouble module, ModuleRecord exact, Values x)
    {
        static IEnumerable<long> Terms(Call call) => call.Parameters.Values.Select(p => p.Numbers.Length / Math.Max(p.Shape.FirstOrDefault(1), 1))
            .Append(call.Y.Numbers.Length / Math.Max(call.Y.Shape.ElementAtOrDefault(1), 1));

        double terms = exact.Calls.SelectMany(Terms).DefaultIfEmpty(1).Max();
        double share = Math.Sqrt(terms) * Math.ScaleB(1, -24);
        foreach (Values values in exact.All)
            values.Bound = share * values.Largest;
        for (int draw = 0; draw < Draws; draw++)
        {
            ModuleRecord moved = module.Run(x, backward: true, new Random(draw), share);
            foreach ((Values values, Values other) in exact.All.Zip(moved.All))
            {
                if (values.HasShapeOf(other) && values.DifferenceFrom(other).Error is var change && double.IsFinite(change))
                    values.Bound = Math.Max(values.Bound, change + share * values.Largest);
            }
        }
    }
}
