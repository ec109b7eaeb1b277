using System.Text.Json;

namespace MiniCnn.Parity;

/// <summary>One convolution of the table.</summary>
/// <param name="Id">Its name, and the beginning of its tensors' names: conv2d.0017.</param>
/// <param name="IsInteger">Whole numbers −3 … 3: every sum is exact, so two sides must agree to the bit. Else −1 … 1.</param>
/// <param name="IsDouble">Double instead of float.</param>
/// <param name="Shape">Its geometry.</param>
/// <param name="Bias">Whether it has a bias.</param>
public sealed record Conv2dCase(string Id, bool IsInteger, bool IsDouble, Conv2dShape Shape, bool Bias)
{
    /// <summary>The group a report counts it in: the first of its properties that is out of the ordinary.</summary>
    public string Group
    {
        get
        {
            (Window2d? window, Padding padding) = (Shape.Window, Shape.Window.Padding);
            return IsDouble ? "double precision"
                : window.PaddingMode != PaddingMode.Zeros ? $"{window.PaddingMode} padding".ToLowerInvariant()
                : padding.Top != padding.Bottom || padding.Left != padding.Right ? "uneven padding"
                : Shape.Groups > 1 ? Shape.Groups == Shape.InputChannels ? "depthwise" : "groups"
                : window.Dilation != 1 ? "dilation"
                : window.Stride != 1 ? "stride"
                : padding != default ? "padding"
                : "plain";
        }
    }

    internal static Conv2dCase Parse(JsonElement json)
    {
        int Number(string name) => json.GetProperty(name).GetInt32();
        int[] p = [.. json.GetProperty("padding_tlbr").EnumerateArray().Select(n => n.GetInt32())];
        Window2d window = new(
            CaseTable.Pair(json, "kernel"), CaseTable.Pair(json, "stride"), new(p[0], p[1], p[2], p[3]), CaseTable.Pair(json, "dilation"),
            Enum.Parse<PaddingMode>(json.GetProperty("padding_mode").GetString()!, ignoreCase: true));
        return new(
            json.GetProperty("id").GetString()!,
            json.GetProperty("data").ValueEquals("integer"),
            json.GetProperty("data").ValueEquals("double"),
            new(Number("n"), Number("c"), Number("h"), Number("w"), Number("o"), window, Number("groups")),
            json.GetProperty("bias").GetBoolean());
    }
}
