namespace MiniCnn.Imaging;

// Letters of 5×7 pixels, two more below the line, as they are drawn here; each takes 6 pixels in a line of text.
static class Font
{
    const int Pitch = 6, Rows = 9, Ascent = 7;

    // Blocks of a line of characters and nine of pixels.
    static readonly string[] Art = """
        A     B     C     D     E     F     G     H     I     J     K     L     M
         ###  ####   ###  ####  ##### #####  ###  #   #  ###    ### #   # #     #   #
        #   # #   # #   # #   # #     #     #   # #   #   #      #  #  #  #     ## ##
        #   # #   # #     #   # #     #     #     #   #   #      #  # #   #     # # #
        #   # ####  #     #   # ####  ####  # ### #####   #      #  ##    #     # # #
        ##### #   # #     #   # #     #     #   # #   #   #      #  # #   #     #   #
        #   # #   # #   # #   # #     #     #   # #   #   #   #  #  #  #  #     #   #
        #   # ####   ###  ####  ##### #      #### #   #  ###   ##   #   # ##### #   #


        N     O     P     Q     R     S     T     U     V     W     X     Y     Z
        #   #  ###  ####   ###  ####   #### ##### #   # #   # #   # #   # #   # #####
        ##  # #   # #   # #   # #   # #       #   #   # #   # #   # #   # #   #     #
        ##  # #   # #   # #   # #   # #       #   #   # #   # #   #  # #   # #     #
        # # # #   # ####  #   # ####   ###    #   #   # #   # # # #   #     #     #
        #  ## #   # #     # # # # #       #   #   #   #  # #  # # #  # #    #    #
        #  ## #   # #     #  #  #  #      #   #   #   #  # #  ## ## #   #   #   #
        #   #  ###  #      ## # #   # ####    #    ###    #   #   # #   #   #   #####


        a     b     c     d     e     f     g     h     i     j     k     l     m
              #               #         ##        #       #      #  #      ##
              #               #        #  #       #                 #       #
         ###  ####   ###   ####  ###   #     #### ####   ##     ##  #  #    #   ## #
            # #   # #   # #   # #   # ####  #   # #   #   #      #  # #     #   # # #
         #### #   # #     #   # #####  #    #   # #   #   #      #  ##      #   # # #
        #   # #   # #   # #   # #      #    #   # #   #   #      #  # #     #   # # #
         #### ####   ###   ####  ###   #     #### #   #  ###     #  #  #   ###  # # #
                                                #             #  #
                                             ###               ##
        n     o     p     q     r     s     t     u     v     w     x     y     z
                                             #
                                             #
        ####   ###  ####   #### # ##   #### ####  #   # #   # #   # #   # #   # #####
        #   # #   # #   # #   # ##  # #      #    #   # #   # # # #  # #  #   #    #
        #   # #   # #   # #   # #      ###   #    #   # #   # # # #   #   #   #   #
        #   # #   # #   # #   # #         #  #  # #   #  # #  # # #  # #  #   #  #
        #   #  ###  ####   #### #     ####    ##   ####   #    # #  #   #  #### #####
                    #         #                                               #
                    #         #                                            ###
        0     1     2     3     4     5     6     7     8     9     .     ,     :
         ###    #    ###   ###     #  #####  ###  #####  ###   ###
        #   #  ##   #   # #   #   ##  #     #         # #   # #   #
        #  ##   #       #     #  # #  ####  #        #  #   # #   #               #
        # # #   #      #    ##  #  #      # ####     #   ###   ####
        ##  #   #     #       # #####     # #   #   #   #   #     #
        #   #   #    #    #   #    #  #   # #   #   #   #   #     #         #
         ###   ###  #####  ###     #   ###   ###    #    ###   ###    #     #     #
                                                                           #

        +     -     −     ×     =     /     %     (     )     ?     _     →
                                          # ##  #    #   #     ###
                                          # ##  #   #     #   #   #         #
          #                # #  #####    #     #    #     #       #          #
          #                 #           #     #     #     #      #        #####
        #####  ###  #####  # #  #####  #     #      #     #     #            #
          #                           #     #  ##   #     #                 #
          #                           #     #  ##    #   #      #   #####


        !     "     #     &     '     *     ;     <     >     [     ]     |     ·
          #    # #   # #   ##     #                  #   #     ###   ###    #
          #    # #   # #  #  #    #   # # #         #     #    #       #    #
          #    # #  ##### #  #         ###    #    #       #   #       #    #
          #          # #   ##         #####       #         #  #       #    #     #
          #         ##### # # #        ###         #       #   #       #    #
                     # #  #  #        # # #   #     #     #    #       #    #
          #          # #   ## #               #      #   #     ###   ###    #
                                             #
        """.ReplaceLineEndings("\n").Split('\n');

    static readonly Dictionary<char, (int Line, int Column)> Glyphs = (
        from line in Enumerable.Range(0, Art.Length)
        where line % (Rows + 1) == 0
        from column in Enumerable.Range(0, Art[line].Length)
        where Art[line][column] != ' '
        select (Art[line][column], line, column)).ToDictionary(g => g.Item1, g => (g.line + 1, g.column));

    public static int Width(string text, int scale) => text.Length == 0 ? 0 : (text.Length * Pitch - 1) * scale;

    // The height of a capital; y, g, p and the like reach two pixels lower.
    public static int Height(int scale) => Ascent * scale;

    public static IReadOnlyCollection<char> Characters => Glyphs.Keys;

    // Whether the pixel at column x and row y of a character is ink; an unknown one is a question mark.
    public static bool Ink(char c, int x, int y)
    {
        if (c == ' ') return false;
        (int line, int column) = Glyphs.TryGetValue(c, out (int Line, int Column) glyph) ? glyph : Glyphs['?'];
        string pixels = line + y < Art.Length ? Art[line + y] : "";    // without the blanks that would end a line
        return column + x < pixels.Length && pixels[column + x] == '#';
    }

    // Writes text from (left, top) to the right and down, each pixel a square of scale × scale; what does not fit is cut off.
    public static void Draw(Picture picture, int left, int top, string text, int scale, Rgb color)
    {
        for (int i = 0; i < text.Length; i++)
            for (int y = 0; y < Rows; y++)
                for (int x = 0; x < Pitch - 1; x++)
                    if (Ink(text[i], x, y)) picture.Fill(left + (i * Pitch + x) * scale, top + y * scale, scale, scale, color);
    }
}
