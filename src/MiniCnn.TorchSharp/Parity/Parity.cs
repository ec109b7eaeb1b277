using System.Numerics.Tensors;
using Module = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace MiniCnn.Interop;

/// <summary>Finds where and by how much a model and a TorchSharp module of the same network differ.</summary>
public static partial class Parity
{
    /// <summary>Number of runs of the module with random rounding.</summary>
    const int Draws = 6;

    /// <summary>
    /// Compares a model and a module layer by layer. Both run on the module's weights and the same batch, forward and backward. Afterwards, model and module
    /// are bit-identical to before.
    /// </summary>
    /// <remarks>
    /// The module computes in double on the CPU. Its results count as exact. The comparison then answers two questions.
    /// <list type="number">
    /// <item>Is each layer the same function? Each layer of the model computes in double on the input of the module's layer. A difference there is not a
    /// rounding error. For Dropout, only the scale of the kept numbers is compared; later layers use the module's masks.</item>
    /// <item>How large are rounding errors? The whole model runs in float. The bound is the largest change in six runs of the module, plus √k·2⁻²⁴ times
    /// the tensor's largest number, where k is the length of the longest sum in the network. In these runs, every input, parameter and output is
    /// multiplied by 1 ± √k·2⁻²⁴ with a random sign (Parker, Monte Carlo Arithmetic, 1997; Higham and Mary, A New Approach to Probabilistic Rounding
    /// Error Analysis, 2019).</item>
    /// </list>
    /// The model uses its <see cref="Layer.ConvolutionAlgorithm"/>: rounding errors of Winograd are about 4 times those of the direct sum.
    /// Layers are paired with calls of submodules in execution order, by type and by the shapes of their parameters. Functions that a forward method
    /// calls, such as <c>relu</c> or <c>flatten</c>, are not paired. Their results are compared as the input of the next submodule.
    /// </remarks>
    /// <param name="model">A model, or a layer.</param>
    /// <param name="module">
    /// A module of <see cref="TorchSharpBridge.ToTorchSharp"/>, or any module that calls its submodules by <c>.call(x)</c>. It runs in its current mode:
    /// call <c>train()</c> or <c>eval()</c> before.
    /// </param>
    /// <param name="batch">A batch [N, C, H, W] or [N, features]. Eight images are enough in most cases.</param>
    /// <param name="training">Whether the model runs in training mode. Layers with <see cref="Layer.HoldInEvaluation"/> always run in evaluation mode.</param>
    /// <param name="moduleBatch">Input of the module, to compare the preprocessing too. The default is <paramref name="batch"/>.</param>
    /// <exception cref="ArgumentException">The batch is empty or contains NaN or infinity.</exception>
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
            throw new ArgumentException($"expected a non-empty batch of finite numbers, got {x}{why}", nameof(batch));
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
