namespace MiniCnn.Interop;

/// <summary>The layers inside a model while they compute on a module's numbers, one by one; all that they had before is put back at the end.</summary>
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
        before = (model.Seed, model.Step);
        leaves = [.. Pairing.Leaves(model).Select(leaf => (leaf, leaf.Seed, leaf.Step, leaf.Stored.Select(tensor => (tensor, tensor.Save())).ToArray()))];
        foreach (Parameter p in model.Parameters)
            p.BeginCheck();
    }

    /// <summary>A layer's parameters beside those of a call: by their names, else in order. Null where there is none.</summary>
    public static IEnumerable<(Parameter Parameter, string? Name)> Names(Layer layer, Call call)
    {
        bool byName = layer.Parameters.Any(p => call.Parameters.ContainsKey(p.ShortName)) || layer.Parameters.Count != call.Parameters.Count;
        return layer.Parameters.Select((p, i) => (p, byName ? call.Parameters.ContainsKey(p.ShortName) ? p.ShortName : null : call.Parameters.Keys.ElementAt(i)));
    }

    /// <summary>Gives layers their calls' parameters and buffers; without a call, they keep their own.</summary>
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
        foreach ((Parameter p, string? name) in Names(layer, call))
        {
            double[] numbers = name is null ? new double[p.Value.FlattenedLength] : call.Parameters[name].Numbers;
            if (numbers.Length != p.Value.FlattenedLength)
                continue;
            numbers.CopyTo(p.ValueAs<double>());
            Array.ConvertAll(numbers, x => (float)x).CopyTo(p.ValueAs<float>());
        }
        foreach ((string name, StoredTensor tensor) in Buffers(layer))
            if (call.Buffers.TryGetValue(name, out Values? buffer) && $"F32 {buffer}" == tensor.Form)
                tensor.Load(SafeTensors.Entry.From<float>(Array.ConvertAll(buffer.Numbers, x => (float)x), buffer.Shape));
    }

    /// <summary>What a layer remembers beside its parameters, in numbers: running statistics.</summary>
    public static IEnumerable<(string Name, StoredTensor Tensor)> Buffers(Layer layer) => layer.Stored
        .Where(stored => stored.Form[0] == 'F' && layer.Parameters.All(p => p.Name != stored.Name)).Select(stored => (stored.Name.Split('.')[^1], stored));

    /// <summary>A layer's result in double, in float where it has no other form, and its way back.</summary>
    /// <exception cref="ArgumentException">The layer does not take such images.</exception>
    public (Values Y, Func<Values, Values> Back) InDouble(Layer layer, Values x) => InDouble(layer, x, training);

    public static (Values Y, Func<Values, Values> Back) InDouble(Layer layer, Values x, bool training)
    {
        ImageShape image = x.Image ?? throw new ArgumentException($"takes [N, C, H, W] or [N, features], not {x}");
        int count = (int)x.Shape[0];
        if (!layer.RunsInDouble)
        {
            ScalarRun<float> inFloat = new(layer, count, image, training);
            float[] result = inFloat.Forward(Array.ConvertAll(x.Numbers, number => (float)number));
            return (Values.Of(Array.ConvertAll(result, number => (double)number), count, inFloat.Output), dy =>
            {
                Clear(layer);
                return new(Array.ConvertAll(inFloat.Backward(Array.ConvertAll(dy.Numbers, number => (float)number)), number => (double)number), x.Shape);
            });
        }
        ScalarRun<double> inDouble = new(layer, count, image, training);
        return (Values.Of(inDouble.Forward(x.Numbers), count, inDouble.Output), dy =>
        {
            Clear(layer);
            return new(inDouble.Backward(dy.Numbers), x.Shape);
        });
    }

    /// <summary>A layer's result as a program gets it, and its way back.</summary>
    public (Values Y, Func<Values, Values> Back) InFloat(Layer layer, Values x)
    {
        Values y = Values.Of(layer.Forward(x.ToFloats(), training));
        return (y, dy =>
        {
            Clear(layer);
            return Values.Of(layer.BackwardToInput(dy.ToFloats()));
        });
    }

    /// <summary>∂loss/∂parameter as the last way back left it.</summary>
    public static Values GradientOf(Parameter p, bool inDouble) => new(
        inDouble ? p.GradientAs<double>().ToArray() : Array.ConvertAll(p.GradientAs<float>().ToArray(), x => (double)x), [.. p.Value.Lengths.ToArray().Select(n => (long)n)]);

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
            layer.Resume(seed, step);
        }
        model.Resume(before.Seed, before.Step);
    }
}
