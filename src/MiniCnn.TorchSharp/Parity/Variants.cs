using System.Text.Json;
using System.Text.Json.Nodes;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MiniCnn.Interop;

/// <summary>Layers and TorchSharp functions that the module may compute instead of a layer.</summary>
static class Variants
{
    public static readonly Layer[] Activations =
    [
        new ReLU(), new LeakyReLU(), new LeakyReLU(0.1), new LeakyReLU(0.2), new GELU(), new SiLU(), new Sigmoid(), new Tanh(), new Softmax(),
        new LogSoftmax(),
    ];

    public static bool IsActivation(Layer layer) => Activations.Any(other => other.GetType() == layer.GetType());

    /// <summary>Returns layers with the same parameters and other settings.</summary>
    public static IEnumerable<Layer> Of(Layer layer)
    {
        if (layer is CustomLayer)
            yield break;
        if (IsActivation(layer))
        {
            foreach (Layer other in Activations)
                yield return other;
        }
        Dictionary<string, SafeTensors.Entry> stored = layer.Stored.ToDictionary(tensor => tensor.Name.Split('.')[^1], tensor => tensor.Save());
        string text = Architecture.Write(layer);
        // ceilMode first, because a padding may have the same effect.
        foreach ((string name, JsonNode value) in layer.Arguments!.OrderBy(argument => argument.Name != "ceilMode"))
        {
            foreach (string instead in Instead(name, value.ToJsonString()))
                if (Made(json => json[name] = JsonNode.Parse(instead)) is { } variant)
                    yield return variant;
        }
        if (layer is AdaptivePool2d && Made(json =>
                json["type"] = layer is AdaptiveAvgPool2d ? nameof(AdaptiveMaxPool2d) : nameof(AdaptiveAvgPool2d)) is { } adaptive)
        {
            yield return adaptive;
        }
        if (layer is MaxPool2d && Made(json =>
            {
                json["type"] = nameof(AvgPool2d);
                json.Remove("dilation");
                json["countIncludePad"] = true;
            }) is { } average)
        {
            yield return average;
        }
        if (layer is AvgPool2d && Made(json =>
            {
                json["type"] = nameof(MaxPool2d);
                json["dilation"] = new JsonArray(1, 1);
                json.Remove("countIncludePad");
            }) is { } largest)
        {
            yield return largest;
        }

        Layer? Made(Action<JsonObject> change)
        {
            JsonObject json = JsonNode.Parse(text)!.AsObject();
            change(json);
            try
            {
                using JsonDocument document = Architecture.Parse(json.ToJsonString());
                return Architecture.Read(document.RootElement, stored);
            }
            catch (Exception e) when (e is InvalidDataException or ArgumentException)
            {
                return null;                             // invalid with these parameters
            }
        }

        static IEnumerable<string> Instead(string name, string value) => name switch
        {
            "epsilon" => ["1e-3", "1e-4", "1e-5", "1e-6", "1e-7", "1e-8", "1e-2", "1e-12"],
            "negativeSlope" => ["0.01", "0.1", "0.2", "0.3", "0.05", "0.25", "0"],
            "countIncludePad" or "ceilMode" => ["true", "false"],
            "bias" => ["false"],
            "paddingMode" => Enum.GetNames<PaddingMode>().Select(mode => $"\"{mode}\""),
            "mode" => Enum.GetNames<UpsampleMode>().Select(mode => $"\"{mode}\""),
            "padding" => [.. Enumerable.Range(0, 5).Select(p => $"[{p},{p},{p},{p}]"), Reversed(value), "[0,0,1,1]", "[1,1,0,0]"],
            "stride" or "dilation" or "kernelSize" or "outputSize" or "outputPadding" =>
                [.. Enumerable.Range(0, 5).Select(s => $"[{s},{s}]"), Reversed(value)],
            "groups" => ["1", "2", "4", "8", "16", "32"],
            _ => [],
        };

        // Swaps height and width. A padding has two of each.
        static string Reversed(string value)
        {
            int[] numbers = JsonSerializer.Deserialize<int[]>(value)!;
            return JsonSerializer.Serialize(
                numbers.Length == 2 ? [numbers[1], numbers[0]] : new[] { numbers[1], numbers[0], numbers[3], numbers[2] });
        }
    }

    /// <summary>Returns TorchSharp functions without an equivalent layer that the module may compute instead.</summary>
    public static IEnumerable<(string What, Func<Values, Values?> Function)> Functions(Layer layer)
    {
        if (IsActivation(layer))
        {
            return
            [
                ("gelu with approximate: tanh", On(x => 0.5 * x * (1 + (Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x.pow(3))).tanh()))),
                ("relu6", On(x => F.relu6(x))), ("hardswish", On(x => F.hardswish(x))), ("elu", On(x => F.elu(x, 1))),
                ("softplus", On(x => F.softplus(x))),
            ];
        }
        using JsonDocument json = Architecture.Parse(layer is CustomLayer ? "{\"type\":\"\"}" : Architecture.Write(layer));
        LayerArguments a = new(json.RootElement, "", new Dictionary<string, SafeTensors.Entry>());
        switch (layer)
        {
            case Upsample when a.Size("scaleFactor") is var factor:
                Func<Tensor, Tensor> resize = x =>
                    F.interpolate(x, scale_factor: [factor.Height, factor.Width], mode: InterpolationMode.Bilinear, align_corners: true);
                return [("interpolate, bilinear with align_corners: true", On(resize))];
            case AdaptiveAvgPool2d:
                return [("a sum", On(x => x.sum([2, 3], keepdim: true)))];
            default:
                return [];
        }

        static Func<Values, Values?> On(Func<Tensor, Tensor> function) => x =>
        {
            try
            {
                using DisposeScope scope = NewDisposeScope();
                return Values.Of(function(ModuleInDouble.ToTensor(x)));
            }
            catch (System.Runtime.InteropServices.ExternalException)
            {
                return null;                             // invalid for this shape
            }
        };
    }
}
