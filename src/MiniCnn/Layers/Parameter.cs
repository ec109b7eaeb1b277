using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace MiniCnn;

/// <summary>Numbers that a layer learns, and their gradient.</summary>
public sealed class Parameter
{
    readonly string name;
    readonly float[] value, gradient;
    readonly Tensor<float> tensor;
    volatile bool isOpen;                                       // whether first values may have to be drawn before the next use
    bool isGiven;                                               // whether values were given: none are drawn unasked then
    int? drawn;                                                 // the hash of values that were drawn unasked
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

    /// <summary>PyTorch's name: “weight”, in a model “0.weight”.</summary>
    public string Name => Owner.NameOf(name);

    internal string ShortName => name;

    /// <summary>The numbers; change them in place whenever no pass is running.</summary>
    public Tensor<float> Value
    {
        get
        {
            DrawFirst();
            return tensor;
        }
    }

    /// <summary>∂loss/∂value, of the same shape. Backward passes add to it; an optimizer's ZeroGrad clears it.</summary>
    public Tensor<float> Gradient { get; }

    /// <summary>Whether it learns: a frozen parameter gets no gradient, and optimizers leave it alone.</summary>
    public bool Trainable { get; set; } = true;

    /// <summary>“0.weight [8, 1, 5, 5]”.</summary>
    public override string ToString() => $"{Name} [{string.Join(", ", Lengths.ToArray())}]";

    /// <summary>The layer that it belongs to.</summary>
    internal Layer Owner { get; }

    internal int Length => value.Length;

    /// <summary>The lengths of the axes.</summary>
    internal ReadOnlySpan<nint> Lengths => tensor.Lengths;

    /// <summary>First values are drawn from ±this; 0 where a layer fills them itself.</summary>
    internal float Bound
    {
        get;
        set
        {
            field = value;
            LookAgain();
        }
    }

    /// <summary>Draws first values.</summary>
    internal void Draw(TorchGenerator generator)
    {
        if (Bound == 0)
            return;
        foreach (ref float number in Give())
            number = generator.NextUniform(-Bound, Bound);
    }

    /// <summary>As Draw, but nothing changes if values were given or are drawn already: the generator goes on all the same.</summary>
    internal void DrawIfOpen(TorchGenerator generator)
    {
        if (Bound == 0)
            return;
        isGiven |= isOpen && drawn is int before && before != Hash();      // changed since
        bool draws = isOpen && !isGiven;
        foreach (ref float number in value.AsSpan())
        {
            float next = generator.NextUniform(-Bound, Bound);
            number = draws ? next : number;
        }
        drawn = draws ? Hash() : drawn;
        isOpen = false;
    }

    /// <summary>The layer stands in another model now: values that nobody gave may be others there.</summary>
    internal void LookAgain() => isOpen = Bound > 0 && !isGiven;

    /// <summary>The numbers, for the caller to write all of them.</summary>
    internal Span<float> Give()
    {
        Keep();
        return value;
    }

    /// <summary>None are drawn unasked from now on.</summary>
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

    /// <summary>Saves value and gradient, and makes a second pair in double: a gradient check moves one of the two about.</summary>
    internal void BeginCheck()
    {
        DrawFirst();
        saved = ([.. value], [.. gradient]);
        checkedValue = Array.ConvertAll(value, x => (double)x);
        checkedGradient = new double[value.Length];
    }

    /// <summary>Puts the saved numbers back.</summary>
    internal void EndCheck()
    {
        saved.Value.CopyTo(value, 0);
        saved.Gradient.CopyTo(gradient, 0);
        saved = default;
        checkedValue = checkedGradient = null;
    }
}
