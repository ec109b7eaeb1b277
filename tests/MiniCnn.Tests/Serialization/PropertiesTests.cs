using System.Collections;
using System.Reflection;

namespace MiniCnn.Tests;

/// <summary>Every constructor argument of a layer, a loss or an optimizer is a property of the same name.</summary>
public sealed class PropertiesTests
{
    public static TheoryData<Type> Types => [.. typeof(Layer).Assembly.GetExportedTypes().Where(type => !type.IsAbstract
        && (type.IsAssignableTo(typeof(Layer)) || type.IsAssignableTo(typeof(Loss)) || type.IsAssignableTo(typeof(Optimizer))))];

    [Theory]
    [MemberData(nameof(Types))]
    public void Every_argument_is_a_property(Type type)
    {
        foreach (ConstructorInfo constructor in type.GetConstructors())
            foreach (bool flipped in (bool[])[true, false])
            {
                ParameterInfo[] parameters = constructor.GetParameters();
                if (parameters.Any(p => p.ParameterType.IsByRefLike))          // a span of layers, which cannot be handed over so
                    continue;
                object?[] arguments = [.. parameters.Select(p => Other(p, flipped))];
                object made = constructor.Invoke(arguments);
                foreach ((ParameterInfo parameter, object? argument) in parameters.Zip(arguments))
                {
                    string name = char.ToUpperInvariant(parameter.Name![0]) + parameter.Name[1..];
                    PropertyInfo? property = type.GetProperty(name);
                    Assert.True(property is not null, $"{type.Name} has no property {name}");
                    object? read = property.GetValue(made);
                    if (argument is bool has && property.PropertyType == typeof(Parameter))
                        read = read is not null;                               // a bias
                    Assert.True(
                        argument is IEnumerable many ? many.Cast<object>().SequenceEqual(((IEnumerable)read!).Cast<object>()) : Equals(argument, read),
                        $"{type.Name}.{name} is {read}, not {argument}");
                }
            }
    }

    [Fact]
    public void Layers_made_of_layers_have_them_in_order()
    {
        Layer[] layers = [new ReLU(), new Tanh()], branches = [new ReLU(), new Identity()];
        Assert.Equal(layers, new Sequential(layers).Layers);
        Assert.Equal(branches, new Concat(branches).Branches);
    }

    /// <summary>A value that differs from the default and from the values of the other arguments.</summary>
    static object? Other(ParameterInfo parameter, bool flipped) => parameter.Name switch
    {
        "inputChannels" or "channels" => 4,
        "outputChannels" => 6,
        "groups" => 2,
        "inputFeatures" => 3,
        "outputFeatures" => 5,
        "ignoreIndex" => 7,
        "kernelSize" => new Size2d(3, 5),
        "stride" => new Size2d(3, 2),
        "dilation" => new Size2d(1, 4),
        "outputPadding" => new Size2d(2, 1),
        "outputSize" or "scaleFactor" => new Size2d(2, 3),
        "padding" => new Padding(1, 2, 0, 1),
        "paddingMode" => PaddingMode.Circular,
        "mode" => UpsampleMode.Bilinear,
        "shape" => new ImageShape(2, 3, 4),
        "reduction" => Reduction.Sum,
        "classWeights" or "positiveWeight" => (float[])[2, 0.5f],
        "body" => new ReLU(),
        "shortcut" => new Identity(),
        "parameters" => new Linear(2, 3).Parameters,
        "dampening" => flipped ? 0 : 0.375f,                                   // Nesterov's form takes none
        "momentum" when parameter.ParameterType == typeof(float) => 0.875f,
        "momentum" => 0.75,
        "learningRate" => 0.25f,
        "weightDecay" when parameter.ParameterType == typeof(float) => 0.125f,
        "weightDecay" => 0.0625,
        "labelSmoothing" or "smooth" => 0.5f,
        "beta1" => 0.5,
        "beta2" => 0.625,
        "epsilon" or "probability" or "negativeSlope" => 0.25,
        _ when parameter.ParameterType == typeof(bool) => (bool)parameter.DefaultValue! != flipped,
        _ => throw new NotSupportedException($"what stands for {parameter} in a test?"),
    };
}
