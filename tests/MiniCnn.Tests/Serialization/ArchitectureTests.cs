using System.Numerics.Tensors;
using System.Reflection;
using System.Text.Json;

namespace MiniCnn.Tests;

/// <summary>Every layer is restored from its description, with any options.</summary>
public sealed class ArchitectureTests
{
    static readonly Type[] layers = [.. typeof(Layer).Assembly.GetExportedTypes().Where(type => type.IsAssignableTo(typeof(Layer)) && !type.IsAbstract)];

    public static TheoryData<string> Names => [.. layers.Where(type => !type.IsAssignableTo(typeof(Container))).Select(type => type.Name)];

    /// <summary>Layers from each constructor, with each option separately and all options together at a value other than the default.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void A_layer_is_made_again_with_all_its_options(string name)
    {
        int made = 0;
        foreach (ConstructorInfo constructor in layers.Single(type => type.Name == name).GetConstructors())
        {
            ParameterInfo[] parameters = constructor.GetParameters();
            ParameterInfo[] options = [.. parameters.Where(parameter => parameter.HasDefaultValue)];
            foreach (ParameterInfo[] given in (ParameterInfo[][])[[], options, .. options.Select(With)])
            {
                Layer layer = (Layer)constructor.Invoke([.. parameters.Select(p => !p.HasDefaultValue || given.Contains(p) ? Unusual(p) : Usual(p))]);
                Same(layer, Again(layer));
                made++;
            }
        }
        Assert.True(made >= 2);

        // An output padding without a stride makes no sense.
        ParameterInfo[] With(ParameterInfo option) =>
            option.Name == "outputPadding" ? [option, ((ConstructorInfo)option.Member).GetParameters().Single(p => p.Name == "stride")] : [option];
    }

    /// <summary>All other layers: those that contain layers.</summary>
    [Fact]
    public void Layers_of_layers_are_made_again()
    {
        Assert.Equal(
            [typeof(Concat), typeof(Residual), typeof(Sequential)],
            layers.Where(type => type.IsAssignableTo(typeof(Container))).OrderBy(type => type.Name));
        Sequential net = new(
            new Residual(new Conv2d(2, 4, 3, padding: 1), new Sequential(new Conv2d(2, 4, 1, bias: false), new BatchNorm2d(4, momentum: 0.5))),
            new Concat(new Identity(), new Residual(new Sequential(new ReLU(), new Conv2d(4, 4, (1, 3), padding: (0, 1)))), new Concat(new Tanh())),
            new MaxPool2d(2), new Flatten(), new Linear(12 * 2 * 3, 5));
        net.Initialize(7);
        Sequential again = (Sequential)Again(net);
        Same(net, again);
        foreach ((Parameter saved, Parameter loaded) in net.Parameters.Zip(again.Parameters))
            saved.Value.CopyTo(loaded.Value);
        Tensor<float> x = new Random(1).Tensor(3, 2, 4, 6);
        Assert.Equal(net.Forward(x).AsSpan().ToArray(), again.Forward(x).AsSpan().ToArray());
        Same(new Residual(new ReLU()), Again(new Residual(new ReLU())));
    }

    [Fact]
    public void The_text_is_what_the_constructors_take()
    {
        Sequential net = new(
            new Conv2d(1, 2, (3, 5), padding: (1, 2), bias: false, paddingMode: PaddingMode.Reflect), new Residual(new ReLU()), new Dropout(0.1));
        Assert.Equal(
            """{"type":"Sequential","layers":[{"type":"Conv2d","inputChannels":1,"outputChannels":2,"kernelSize":[3,5],"stride":[1,1],"padding":[1,2,1,2]"""
            + ""","dilation":[1,1],"groups":1,"bias":false,"paddingMode":"Reflect"},{"type":"Residual","layers":[{"type":"ReLU"}]}"""
            + """,{"type":"Dropout","probability":0.1}]}""",
            Architecture.Write(net));
    }

    [Theory]
    [InlineData("""{"type":"MaxPool2d","kernelSize":[2,3],"stride":[2,1],"padding":[0,1,0,1],"dilation":[1,2]}""", "MaxPool2d(2×3, stride 2×1")]
    [InlineData("""{"type":"AvgPool2d","kernelSize":[2,3],"stride":[2,1],"padding":[0,1,0,1],"countIncludePad":false}""", "AvgPool2d(2×3, stride 2×1")]
    public void Pools_of_files_from_before_ceilMode_are_rounded_down(string text, string pool)
    {
        Layer layer = Read(text, []);
        Assert.StartsWith(pool, layer.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("ceil", layer.ToString(), StringComparison.Ordinal);
        Assert.Equal(new(1, 2, layer is MaxPool2d ? 5 : 7), layer.OutputShape(new(1, 5, 7)));
        Assert.Contains("\"ceilMode\":false", Architecture.Write(layer), StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_told_is_refused()
    {
        string fault = Assert.Throws<InvalidOperationException>(() => Architecture.Write(new Sequential(new ReLU(), new Affine()))).Message;
        Assert.StartsWith("layer 1, Affine: a custom layer cannot be stored in a model file", fault, StringComparison.Ordinal);
        Assert.Contains("Weights.Save", fault, StringComparison.Ordinal);

        Layer deep = new ReLU();
        for (int i = 0; i < 15; i++)
            deep = i % 2 == 0 ? new Sequential(deep) : new Residual(deep);
        Same(deep, Again(deep));
        fault = Assert.Throws<InvalidOperationException>(() => Architecture.Write(new Sequential(deep))).Message;
        Assert.Contains("at most 16 levels", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "input does not contain any JSON tokens")]
    [InlineData("[]", "layer : is not a layer")]
    [InlineData("{}", "layer : 'type' is missing")]
    [InlineData("""{"type":1}""", "layer : 'type' is not text")]
    [InlineData("""{"type":"Conv3d"}""", "layer Conv3d: is not a layer of this library")]
    [InlineData("""{"type":"ReLU","slope":1}""", "layer ReLU: has no argument 'slope'")]
    [InlineData("""{"type":"ReLU","type":"ReLU"}""", "Duplicate property")]
    [InlineData("""{"type":"Sequential","layers":{}}""", "layer Sequential: 'layers' is not a list")]
    [InlineData("""{"type":"Sequential","layers":[]}""", "a Sequential needs at least one layer")]
    [InlineData("""{"type":"Concat","layers":[]}""", "a Concat needs at least one branch")]
    [InlineData("""{"type":"Residual","layers":[]}""", "layer Residual: has no body")]
    [InlineData("""{"type":"Residual","layers":[{"type":"ReLU"},{"type":"ReLU"},{"type":"ReLU"}]}""", "layer Residual: has 3 layers, not body, shortcut")]
    [InlineData("""{"type":"Sequential","layers":[{"type":"Residual","layers":[3]}]}""", "layer 0.body: is not a layer")]
    [InlineData("""{"type":"Dropout","probability":"half"}""", "layer Dropout: 'probability' is not a number")]
    [InlineData("""{"type":"Dropout","probability":1e999}""", "layer Dropout: 'probability' is not a finite number")]
    [InlineData("""{"type":"Dropout","probability":2}""", "must be in [0, 1]")]
    [InlineData("""{"type":"MaxPool2d","kernelSize":2,"stride":[2,2],"padding":[0,0,0,0],"dilation":[1,1]}""", "'kernelSize' is not a list")]
    [InlineData("""{"type":"MaxPool2d","kernelSize":[2],"stride":[2,2],"padding":[0,0,0,0],"dilation":[1,1]}""", "'kernelSize' is not [height, width]")]
    [InlineData("""{"type":"MaxPool2d","kernelSize":[2,2.5],"stride":[2,2],"padding":[0,0,0,0],"dilation":[1,1]}""", "'kernelSize' must be whole numbers")]
    [InlineData("""{"type":"MaxPool2d","kernelSize":[2,2],"stride":[2,2],"padding":[0,0],"dilation":[1,1]}""", "'padding' is not [top, left, bottom, right]")]
    [InlineData("""{"type":"MaxPool2d","kernelSize":[2,2],"stride":[0,2],"padding":[0,0,0,0],"dilation":[1,1]}""", "stride must be at least 1")]
    [InlineData("""{"type":"AvgPool2d","kernelSize":[2,2],"stride":[2,2],"padding":[0,0,0,0],"countIncludePad":1}""", "'countIncludePad' is not true or false")]
    [InlineData("""{"type":"MaxPool2d","kernelSize":[2,2],"stride":[2,2],"padding":[0,0,0,0],"dilation":[1,1],"ceilMode":1}""", "'ceilMode' is not true or false")]
    [InlineData("""{"type":"Pad2d","padding":[0,-1,0,0],"paddingMode":"Reflect"}""", "Reflect padding must be at least 0")]
    [InlineData("""{"type":"Unflatten","shape":[2,3]}""", "needs 1 or 3 numbers in 'shape'")]
    [InlineData(
        """{"type":"Sequential","layers":[{"type":"ReLU"},{"type":"Unflatten","shape":[6]}]}""", "layer 1, Unflatten: Unflatten needs the channels, height")]
    [InlineData("""{"type":"Upsample","scaleFactor":[2,2],"mode":"Cubic"}""", "there is no UpsampleMode 'Cubic'")]
    [InlineData("""{"type":"Upsample","scaleFactor":[2,2],"mode":"1"}""", "there is no UpsampleMode '1'")]
    [InlineData("""{"type":"Linear","inputFeatures":3,"outputFeatures":2}""", "'bias' is missing")]
    [InlineData("""{"type":"Linear","inputFeatures":2,"outputFeatures":3,"bias":true}""", "layer Linear: needs weight F32 [3, 2], but the file has F32 [2, 3]")]
    [InlineData("""{"type":"Linear","inputFeatures":1000000000,"outputFeatures":1000000000,"bias":true}""", "needs weight F32 [1000000000, 1000000000], but")]
    [InlineData("""{"type":"Linear","inputFeatures":4000000000,"outputFeatures":3,"bias":true}""", "'inputFeatures' must be whole numbers up to 2147483647")]
    [InlineData("""{"type":"Concat","layers":[{"type":"BatchNorm2d","channels":2000000000,"epsilon":1,"momentum":1}]}""", "2000000000], but the file has none")]
    [InlineData("""{"type":"LayerNorm","shape":[1,2,3,4],"epsilon":1}""", "needs weight F32 [1, 2, 3, 4], but")]
    [InlineData("""{"type":"LayerNorm","shape":[2,3],"epsilon":1}""", "needs 1 or 3 numbers in 'shape'")]
    public void What_makes_no_sense_is_refused(string text, string fault)
    {
        Dictionary<string, SafeTensors.Entry> tensors = new() { ["weight"] = SafeTensors.Entry.From<float>(new float[6], 2, 3) };
        Exception refused = Assert.ThrowsAny<Exception>(() => Read(text, tensors));
        Assert.True(refused is InvalidDataException or JsonException, $"{refused}");
        Assert.Contains(fault, refused.Message, StringComparison.Ordinal);
    }

    static Layer Again(Layer layer) => Read(Architecture.Write(layer), layer.Stored.ToDictionary(stored => stored.Name, stored => stored.Save()));

    static Layer Read(string text, Dictionary<string, SafeTensors.Entry> tensors)
    {
        using JsonDocument json = Architecture.Parse(text);
        return Architecture.Read(json.RootElement, tensors);
    }

    /// <summary>Verifies that two layers have equal fields, parameter shapes and inner layers.</summary>
    static void Same(Layer expected, Layer actual)
    {
        Assert.Equal(expected.GetType(), actual.GetType());
        Assert.Equal(expected.ToString(), actual.ToString());
        Assert.Equal(expected.Place, actual.Place);
        Assert.Equal(expected.Parameters.Select(p => $"{p}"), actual.Parameters.Select(p => $"{p}"));
        foreach (FieldInfo field in expected.GetType().GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public))
            if (field.FieldType.IsValueType || field.FieldType == typeof(Window2d))
                Assert.Equal(field.GetValue(expected), field.GetValue(actual));
        if (expected is Container container)
        {
            Assert.Equal(container.Children.Count, ((Container)actual).Children.Count);
            foreach (((string name, Layer child), (string itsName, Layer itsChild)) in container.Children.Zip(((Container)actual).Children))
            {
                Assert.Equal(name, itsName);
                Same(child, itsChild);
            }
        }
    }

    static object? Usual(ParameterInfo parameter) =>
        parameter.DefaultValue ?? (parameter.ParameterType.IsValueType ? Activator.CreateInstance(parameter.ParameterType) : null);

    /// <summary>A value that differs from the default and, where possible, from the values of the other arguments.</summary>
    static object Unusual(ParameterInfo parameter)
    {
        Type type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType;
        object value = (parameter.Name, type) switch
        {
            ("groups", _) => 2,
            ("inputChannels", _) => 4,
            ("padding", _) => new Padding(1, 0, 0, 1),
            ("outputPadding", _) => new Size2d(1, 0),
            ("dilation", _) => new Size2d(3, 2),
            ("stride", _) => new Size2d(2, 3),
            _ when type == typeof(int) => 6,
            _ when type == typeof(Size2d) => new Size2d(2, 3),
            _ when type == typeof(ImageShape) => new ImageShape(2, 3, 4),
            _ when type == typeof(double) => 0.123456789012345678,
            _ when type == typeof(bool) => !(bool)parameter.DefaultValue!,
            _ when type.IsEnum => Enum.GetValues(type).GetValue(Enum.GetValues(type).Length - 1)!,
            _ => throw new NotSupportedException($"{parameter.Member.DeclaringType}: give this test a value for {parameter}"),
        };
        Assert.NotEqual(Usual(parameter), value);
        return value;
    }
}
