using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace MiniCnn;

/// <summary>A learnable tensor of a layer, and its gradient.</summary>
public sealed class Parameter
{
    readonly string name;
    readonly float[] value, gradient;
    readonly Tensor<float> tensor;
    volatile bool isOpen;                                       // whether initial values may have to be drawn before the next use
    bool isGiven;                                               // whether values were set, trained or loaded: they are never drawn automatically again
    int? drawn;                                                 // hash of the values that were drawn automatically
    double[]? checkedValue, checkedGradient;
    (float[] Value, float[] Gradient) saved;

    internal Parameter(Layer owner, string name, params ReadOnlySpan<nint> shape)
    {
        (Owner, this.name) = (owner, name);
        double length = 1;
        foreach (nint size in shape)
            length *= size;
        if (!(length >= 1 && length <= Array.MaxLength))
        {
            throw new ArgumentException(
                $"a {name} of [{string.Join(", ", shape.ToArray())}] would hold {length:F0} numbers; an array holds 1 to {Array.MaxLength}");
        }
        (value, gradient) = (new float[(int)length], new float[(int)length]);
        tensor = Tensor.Create(value, shape);
        Gradient = Tensor.Create(gradient, shape);
    }

    /// <summary>PyTorch's name of the parameter: “weight”, or “0.weight” in a model.</summary>
    public string Name => Owner.NameOf(name);

    internal string ShortName => name;

    /// <summary>The values. You can change them in place while no forward or backward pass is running.</summary>
    public Tensor<float> Value
    {
        get
        {
            DrawFirst();
            return tensor;
        }
    }

    /// <summary>∂loss/∂value, with the same shape. Backward passes add to it; <see cref="Optimizer.ZeroGrad"/> clears it.</summary>
    public Tensor<float> Gradient { get; }

    /// <summary>
    /// Whether the parameter is trained. If false, it is frozen: backward passes do not add to its gradient, and optimizers do not change it. The default
    /// is true.
    /// </summary>
    public bool Trainable { get; set; } = true;

    /// <summary>“0.weight [8, 1, 5, 5]”.</summary>
    public override string ToString() => $"{Name} [{string.Join(", ", Lengths.ToArray())}]";

    /// <summary>The layer that has this parameter.</summary>
    internal Layer Owner { get; }

    internal int Length => value.Length;

    /// <summary>The lengths of the axes.</summary>
    internal ReadOnlySpan<nint> Lengths => tensor.Lengths;

    /// <summary>Initial values are drawn from U(−Bound, Bound); 0 where the layer sets them itself.</summary>
    internal float Bound
    {
        get;
        set
        {
            field = value;
            LookAgain();
        }
    }

    /// <summary>Draws initial values.</summary>
    internal void Draw(TorchGenerator generator)
    {
        if (Bound == 0)
            return;
        foreach (ref float number in Give())
            number = generator.NextUniform(-Bound, Bound);
    }

    /// <summary>
    /// Draws initial values if none were set or drawn yet. The generator always advances, so that other parameters get the same values in both cases.
    /// </summary>
    internal void DrawIfOpen(TorchGenerator generator)
    {
        if (Bound == 0)
            return;
        isGiven |= isOpen && drawn is int before && before != Hash();      // changed since they were drawn
        bool draws = isOpen && !isGiven;
        foreach (ref float number in value.AsSpan())
        {
            float next = generator.NextUniform(-Bound, Bound);
            number = draws ? next : number;
        }
        drawn = draws ? Hash() : drawn;
        isOpen = false;
    }

    /// <summary>Called when the layer's position or model has changed: values that were drawn automatically must be drawn again.</summary>
    internal void LookAgain() => isOpen = Bound > 0 && !isGiven;

    /// <summary>Returns the values for the caller to overwrite all of them, and calls Keep.</summary>
    internal Span<float> Give()
    {
        Keep();
        return value;
    }

    /// <summary>Keeps the values: from now on, none are drawn automatically.</summary>
    internal void Keep() => (isGiven, isOpen) = (true, false);

    int Hash()
    {
        HashCode hash = new();
        hash.AddBytes(MemoryMarshal.AsBytes(value.AsSpan()));
        return hash.ToHashCode();
    }

    void DrawFirst()
    {
        if (isOpen)
            Owner.Model.DrawFirstValues();
    }

    internal Span<T> ValueAs<T>() where T : unmanaged
    {
        DrawFirst();
        return typeof(T) == typeof(float) ? MemoryMarshal.Cast<float, T>(value.AsSpan()) : MemoryMarshal.Cast<double, T>(checkedValue.AsSpan());
    }

    internal Span<T> GradientAs<T>() where T : unmanaged =>
        typeof(T) == typeof(float) ? MemoryMarshal.Cast<float, T>(gradient.AsSpan()) : MemoryMarshal.Cast<double, T>(checkedGradient.AsSpan());

    /// <summary>Saves value and gradient and creates copies in double, because a gradient check changes them.</summary>
    internal void BeginCheck()
    {
        DrawFirst();
        saved = ([.. value], [.. gradient]);
        checkedValue = Array.ConvertAll(value, x => (double)x);
        checkedGradient = new double[value.Length];
    }

    /// <summary>Restores the saved value and gradient.</summary>
    internal void EndCheck()
    {
        saved.Value.CopyTo(value, 0);
        saved.Gradient.CopyTo(gradient, 0);
        saved = default;
        checkedValue = checkedGradient = null;
    }
}
