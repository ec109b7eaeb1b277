using System.Numerics.Tensors;
using MiniCnn.Imaging;

namespace MiniCnn.Examples.ImageFilters;

/// <summary>Kernels by name or by numbers.</summary>
static class Kernels
{
    /// <summary>The names of the kernels, such as “box-blur-3x3”.</summary>
    public static string Names => string.Join(", ", Imaging.ImageFilters.All.Select(Key));

    /// <summary>Finds a kernel by the first letters of its name, or parses numbers such as “0 -1 0; -1 5 -1; 0 -1 0”.</summary>
    /// <exception cref="ArgumentException">No kernel or several kernels have this name.</exception>
    /// <exception cref="FormatException">The numbers are not a kernel.</exception>
    public static ImageFilter Find(string text)
    {
        if (text.Length > 0 && (char.IsDigit(text[0]) || "+-. ".Contains(text[0], StringComparison.Ordinal)))
            return ImageFilter.Parse(text);
        ImageFilter[] found = [.. Imaging.ImageFilters.All.Where(filter => Key(filter).StartsWith(text.ToLowerInvariant(), StringComparison.Ordinal))];
        return found.Length == 1 ? found[0] : throw new ArgumentException(found.Length == 0
            ? $"there is no kernel {text}; expected one of {Names}"
            : $"--kernel {text} is ambiguous: {string.Join(" or ", found.Select(Key))}");
    }

    /// <summary>Divides a kernel by its number of weights (area) or by their sum (sum).</summary>
    /// <param name="filter">The kernel.</param>
    /// <param name="by">“area”, “sum” or “none”.</param>
    /// <param name="skipZeroSums">Whether “sum” returns a kernel with a sum of 0 unchanged. Otherwise it throws.</param>
    public static ImageFilter Normalize(ImageFilter filter, string by, bool skipZeroSums) => by switch
    {
        "area" => filter.DividedByArea(),
        "sum" when !skipZeroSums || Math.Abs(TensorPrimitives.Sum(filter.Kernel)) > 1e-6f => filter.DividedBySum(),
        _ => filter,
    };

    static string Key(ImageFilter filter) => filter.Name.ToLowerInvariant().Replace(' ', '-').Replace('×', 'x');
}
