using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>
/// Writes the layers of a network as JSON with their constructor arguments, and reads them:
/// <c>{"type": "Linear", "inputFeatures": 400, "outputFeatures": 10, "bias": true}</c>. Containers have their layers in “layers”.
/// </summary>
static class Architecture
{
    const int MaxDepth = 32;                                        // nesting of JSON brackets: two per level of layers, an object and its “layers”

    static readonly JsonDocumentOptions strict = new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false };

    /// <summary>Returns the layers as JSON text.</summary>
    /// <exception cref="InvalidOperationException">The network contains a custom layer, or layers are nested too deeply.</exception>
    public static string Write(Layer network) => ToText(json => Write(network, json));

    /// <summary>Returns the JSON text that <paramref name="write"/> writes.</summary>
    public static string ToText(Action<Utf8JsonWriter> write)
    {
        ArrayBufferWriter<byte> text = new();
        using (Utf8JsonWriter json = new(text, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            write(json);
        return Encoding.UTF8.GetString(text.WrittenSpan);
    }

    /// <summary>
    /// Creates the layers with initial weights. A layer with parameters is created only if the file has its weight with the correct shape, so that no layer
    /// needs much more memory than the file.
    /// </summary>
    /// <exception cref="InvalidDataException">The JSON is not a network, or the file does not have its tensors.</exception>
    /// <exception cref="ArgumentException">A constructor refuses its arguments.</exception>
    /// <exception cref="InvalidOperationException">A text is not valid Unicode.</exception>
    public static Layer Read(JsonElement json, IReadOnlyDictionary<string, SafeTensors.Entry> tensors) => Make(new(json, "", tensors));

    /// <summary>Parses JSON without duplicate names, up to the maximum depth.</summary>
    /// <exception cref="JsonException">The text is not such JSON.</exception>
    public static JsonDocument Parse(string text) => JsonDocument.Parse(text, strict);

    public static JsonArray ToJson(this Size2d size) => Numbers(size.Height, size.Width);

    public static JsonArray ToJson(this Padding padding) => Numbers(padding.Top, padding.Left, padding.Bottom, padding.Right);

    public static JsonArray ToJson(this ImageShape shape) => shape.IsFlat ? Numbers(shape.Channels) : Numbers(shape.Channels, shape.Height, shape.Width);

    // Each number is converted to JsonNode: JsonArray.Add<int> needs reflection, which a trimmed program may not have.
    static JsonArray Numbers(params int[] numbers) => new([.. numbers.Select(number => (JsonNode)number)]);

    static void Write(Layer layer, Utf8JsonWriter json)
    {
        if (layer.Arguments is not { } arguments)
        {
            throw new InvalidOperationException(
                $"{layer.Description}: a custom layer cannot be stored in a model file; save only the weights with Weights.Save, "
                + "and load them with Weights.Load into a network built in code");
        }
        if (json.CurrentDepth >= MaxDepth)
            throw new InvalidOperationException($"{layer.Description}: layers are nested too deeply; a model file holds at most {MaxDepth / 2} levels");
        json.WriteStartObject();
        json.WriteString("type", layer.GetType().Name);
        foreach ((string name, JsonNode value) in arguments)
        {
            json.WritePropertyName(name);
            value.WriteTo(json);
        }
        if (layer is Container container)
        {
            json.WriteStartArray("layers");
            foreach ((_, Layer child) in container.Children)
                Write(child, json);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    static Layer Make(LayerArguments a)
    {
        Layer layer;
        try
        {
            layer = Construct(a);
        }
        catch (ArgumentException e)                                 // thrown by a constructor, which does not know the place of the layer
        {
            throw a.Bad(e.Message);
        }
        a.AreAllTaken();
        return layer;
    }

    static Layer Construct(LayerArguments a) => a.Type switch
    {
        nameof(Sequential) => new Sequential(Layers(a)),
        nameof(Concat) => new Concat(Layers(a)),
        nameof(Residual) => Layers(a, "body", "shortcut") is [Layer body, .. Layer[] shortcut]
            ? new Residual(body, shortcut.FirstOrDefault()) : throw a.Bad("has no body"),
        nameof(Conv2d) => Conv2d(a),
        nameof(ConvTranspose2d) => ConvTranspose2d(a),
        nameof(Linear) => Linear(a.Int("inputFeatures"), a.Int("outputFeatures"), a),
        nameof(BatchNorm1d) => new BatchNorm1d(a.Holds("weight", a.Int("channels")), a.Double("epsilon"), a.Double("momentum")),
        nameof(BatchNorm2d) => new BatchNorm2d(a.Holds("weight", a.Int("channels")), a.Double("epsilon"), a.Double("momentum")),
        nameof(GroupNorm) => new GroupNorm(a.Int("groups"), a.Holds("weight", a.Int("channels")), a.Double("epsilon")),
        nameof(LayerNorm) => LayerNorm(a.Ints("shape"), a),
        nameof(MaxPool2d) => new MaxPool2d(
            a.Size("kernelSize"), a.Size("stride"), a.Padding("padding"), a.Size("dilation"), a.Bool("ceilMode", absent: false)),
        nameof(AvgPool2d) => new AvgPool2d(
            a.Size("kernelSize"), a.Size("stride"), a.Padding("padding"), a.Bool("countIncludePad"), a.Bool("ceilMode", absent: false)),
        nameof(AdaptiveAvgPool2d) => new AdaptiveAvgPool2d(a.Size("outputSize")),
        nameof(AdaptiveMaxPool2d) => new AdaptiveMaxPool2d(a.Size("outputSize")),
        nameof(Pad2d) => new Pad2d(a.Padding("padding"), a.Value<PaddingMode>("paddingMode")),
        nameof(Upsample) => new Upsample(a.Size("scaleFactor"), a.Value<UpsampleMode>("mode")),
        nameof(Dropout) => new Dropout(a.Double("probability")),
        nameof(LeakyReLU) => new LeakyReLU(a.Double("negativeSlope")),
        nameof(Flatten) => new Flatten(),
        nameof(Unflatten) => new Unflatten(Shape(a.Ints("shape"), a)),
        nameof(Identity) => new Identity(),
        nameof(ReLU) => new ReLU(),
        nameof(GELU) => new GELU(),
        nameof(SiLU) => new SiLU(),
        nameof(Sigmoid) => new Sigmoid(),
        nameof(Tanh) => new Tanh(),
        nameof(Softmax) => new Softmax(),
        nameof(LogSoftmax) => new LogSoftmax(),
        _ => throw a.Bad("is not a layer of this library"),
    };

    static Layer[] Layers(LayerArguments a, params string[] names) => [.. a.Children("layers", names).Select(Make)];

    static Conv2d Conv2d(LayerArguments a)
    {
        (int from, int to, Size2d kernel, int groups) = (a.Int("inputChannels"), a.Int("outputChannels"), a.Size("kernelSize"), a.Int("groups"));
        a.Holds("weight", to, from / Math.Max(groups, 1), kernel.Height, kernel.Width);
        return new(from, to, kernel, a.Size("stride"), a.Padding("padding"), a.Size("dilation"), groups, a.Bool("bias"), a.Value<PaddingMode>("paddingMode"));
    }

    static ConvTranspose2d ConvTranspose2d(LayerArguments a)
    {
        (int from, int to, Size2d kernel, int groups) = (a.Int("inputChannels"), a.Int("outputChannels"), a.Size("kernelSize"), a.Int("groups"));
        a.Holds("weight", from, to / Math.Max(groups, 1), kernel.Height, kernel.Width);
        return new(from, to, kernel, a.Size("stride"), a.Padding("padding"), a.Size("outputPadding"), a.Size("dilation"), groups, a.Bool("bias"));
    }

    static Linear Linear(int from, int to, LayerArguments a)
    {
        a.Holds("weight", to, from);
        return new(from, to, a.Bool("bias"));
    }

    static LayerNorm LayerNorm(int[] shape, LayerArguments a)
    {
        a.Holds("weight", shape);
        return new(Shape(shape, a), a.Double("epsilon"));
    }

    static ImageShape Shape(int[] shape, LayerArguments a) => shape switch
    {
        [int features] => features,
        [int channels, int height, int width] => new ImageShape(channels, height, width),
        _ => throw a.Bad("needs 1 or 3 numbers in 'shape'"),
    };
}
