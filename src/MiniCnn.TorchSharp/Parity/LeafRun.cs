using System.Numerics;

namespace MiniCnn.Interop;

/// <summary>
/// Runs the layers inside a model one by one on the module's inputs. <see cref="Dispose"/> restores their parameters, buffers and random state.
/// </summary>
sealed class LeafRun : IDisposable
{
    readonly Layer model;
    readonly (int Seed, int Step) before;
    readonly bool training;
    readonly (Layer Layer, int Seed, int Step, (StoredTensor Tensor, SafeTensors.Entry Saved)[] Stored)[] leaves;
    readonly IReadOnlyDictionary<Layer, Call> pairs;

    public LeafRun(Layer model, IReadOnlyDictionary<Layer, Call> pairs, bool training)
    {
        (this.model, this.pairs, this.training) = (model, pairs, training);
        before = (model.Session.Seed, model.Session.Step);
        leaves = [.. Pairing.Leaves(model).Select(leaf => (leaf, leaf.Session.Seed, leaf.Session.Step, Saved(leaf)))];
        foreach (Parameter p in model.Parameters)
            p.BeginCheck();

        static (StoredTensor, SafeTensors.Entry)[] Saved(Layer leaf) => [.. leaf.Buffers.Select(tensor => (tensor, tensor.Save()))];
    }

    /// <summary>Loads the parameters and buffers of its call into each layer. A layer without a call keeps its own.</summary>
    public void Reset()
    {
        foreach ((Layer layer, _, _, (StoredTensor Tensor, SafeTensors.Entry Saved)[] stored) in leaves)
        {
            foreach ((StoredTensor tensor, SafeTensors.Entry saved) in stored)
                tensor.Load(saved);
            if (pairs.TryGetValue(layer, out Call? call))
                Load(layer, call);
        }
    }

    public static void Load(Layer layer, Call call)
    {
        foreach ((Parameter p, string? name) in ParameterPairs.Of(layer, call))
        {
            Values values = name is null ? new(new double[p.Value.FlattenedLength]) : call.Parameters[name];
            if (values.Numbers.Length != p.Value.FlattenedLength)
                continue;
            values.Numbers.CopyTo(p.ValueAs<double>());
            values.ToFloats().CopyTo(p.ValueAs<float>());
        }
        foreach ((string name, StoredTensor tensor) in Buffers(layer))
            if (call.Buffers.TryGetValue(name, out Values? buffer) && $"F32 {buffer}" == tensor.Form)
                tensor.Load(SafeTensors.Entry.From<float>(buffer.ToFloats(), buffer.Shape));
    }

    /// <summary>Returns the floating-point buffers of a layer: its running statistics.</summary>
    public static IEnumerable<(string Name, StoredTensor Tensor)> Buffers(Layer layer) => layer.Buffers
        .Where(stored => stored.Form[0] == 'F')
        .Select(stored => (stored.Name.Split('.')[^1], stored));

    /// <summary>Computes a layer in double, or in float if it does not support double. Back computes ∂loss/∂x from ∂loss/∂y.</summary>
    /// <exception cref="ArgumentException">The layer does not accept this input.</exception>
    public (Values Y, Func<Values, Values> Back) InDouble(Layer layer, Values x) => InDouble(layer, x, training);

    public static (Values Y, Func<Values, Values> Back) InDouble(Layer layer, Values x, bool training)
    {
        ImageShape image = x.Image ?? throw new ArgumentException($"expected [N, C, H, W] or [N, features], got {x}");
        return layer.RunsInDouble ? Run<double>(layer, x, image, training) : Run<float>(layer, x, image, training);
    }

    static (Values Y, Func<Values, Values> Back) Run<T>(Layer layer, Values x, ImageShape image, bool training)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int count = (int)x.Shape[0];
        ScalarRun<T> run = new(layer, count, image, training);
        return (Values.Of(From(run.Forward(To(x))), count, run.Output), Back);

        Values Back(Values dy)
        {
            Clear(layer);
            return new(From(run.Backward(To(dy))), x.Shape);
        }

        static T[] To(Values values) => Array.ConvertAll(values.Numbers, T.CreateTruncating);

        static double[] From(T[] numbers) => Array.ConvertAll(numbers, double.CreateTruncating);
    }

    /// <summary>Computes a layer in float, as the model does. Back computes ∂loss/∂x from ∂loss/∂y.</summary>
    public (Values Y, Func<Values, Values> Back) InFloat(Layer layer, Values x)
    {
        return (Values.Of(layer.Session.Forward(x.ToTensor(), training, null, differentiable: true, model.ConvolutionAlgorithm)), Back);

        Values Back(Values dy)
        {
            Clear(layer);
            return Values.Of(layer.BackwardToInput(dy.ToTensor()));
        }
    }

    /// <summary>Returns ∂loss/∂parameter of the last backward pass.</summary>
    public static Values GradientOf(Parameter p, bool inDouble) => inDouble
        ? new(p.GradientAs<double>().ToArray(), Values.ShapeOf(p.Value.Lengths))
        : Values.Of(p.GradientAs<float>(), p.Value.Lengths);

    static void Clear(Layer layer)
    {
        foreach (Parameter p in layer.Parameters)
        {
            p.GradientAs<float>().Clear();
            p.GradientAs<double>().Clear();
        }
    }

    public void Dispose()
    {
        foreach (Parameter p in model.Parameters)
            p.EndCheck();
        foreach ((Layer layer, int seed, int step, (StoredTensor Tensor, SafeTensors.Entry Saved)[] stored) in leaves)
        {
            foreach ((StoredTensor tensor, SafeTensors.Entry saved) in stored)
                tensor.Load(saved);
            layer.Session.Resume(seed, step);
        }
        model.Session.Resume(before.Seed, before.Step);
    }
}
