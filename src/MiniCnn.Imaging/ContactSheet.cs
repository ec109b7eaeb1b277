namespace MiniCnn.Imaging;

/// <summary>Pictures side by side on one, each under its title.</summary>
public static class ContactSheet
{
    /// <summary>Draws pictures row by row, as wide apart as the widest; long titles are broken at blanks. Grey if all of them are.</summary>
    /// <param name="tiles">Titles, which may be empty, and pictures of any size.</param>
    /// <param name="columns">How many stand in a row.</param>
    /// <param name="scale">Pixels on the sheet for each pixel of a picture, across and down.</param>
    /// <exception cref="ArgumentException">There are no pictures, or they would not fit an array.</exception>
    public static Picture Draw(IReadOnlyList<(string Title, Picture Picture)> tiles, int columns, int scale = 1)
    {
        ArgumentNullException.ThrowIfNull(tiles);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(scale, 1);
        if (tiles.Count == 0) throw new ArgumentException("there are no pictures to put on the sheet");
        columns = Math.Min(columns, tiles.Count);

        // A column is as wide as the widest picture and the longest word; a row as high as its longest title and its highest picture.
        int width = tiles.Max(tile => Math.Max(
            tile.Picture.Width * scale, tile.Title.Split(' ').Max(word => Drawing.Width(word, Drawing.Title))));
        List<string>[] titles = [.. tiles.Select(tile => Drawing.Wrap(tile.Title, width))];
        var places = new (int Left, int Top)[tiles.Count];
        int top = Drawing.Margin;
        foreach (int[] row in Enumerable.Range(0, tiles.Count).Chunk(columns))
        {
            top += row.Max(i => Drawing.TitleHeight(titles[i]));
            foreach (int i in row) places[i] = (Drawing.Margin + i % columns * (width + Drawing.Gap), top);
            top += row.Max(i => tiles[i].Picture.Height * scale) + Drawing.Gap;
        }
        Picture sheet = Drawing.Sheet(2 * Drawing.Margin + columns * (width + Drawing.Gap) - Drawing.Gap, top - Drawing.Gap + Drawing.Margin, canvas =>
        {
            for (int i = 0; i < tiles.Count; i++) canvas.WriteTitle(titles[i], places[i].Left, places[i].Top - Drawing.TitleHeight(titles[i]));
        });
        for (int i = 0; i < tiles.Count; i++) sheet.Paste(tiles[i].Picture, places[i].Left, places[i].Top, scale);
        return tiles.All(tile => tile.Picture.Channels == 1) ? sheet.ToGrey() : sheet;
    }

    /// <summary>Two pictures side by side, their sizes, width × height, beside their titles.</summary>
    public static Picture Pair(string titleBefore, Picture before, string titleAfter, Picture after)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        return Draw([($"{titleBefore}, {before.Width}×{before.Height}", before), ($"{titleAfter}, {after.Width}×{after.Height}", after)], columns: 2);
    }
}
