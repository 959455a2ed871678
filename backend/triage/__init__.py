"""What an appeal is about, how hard it is and whose it is: proposed to the territory, which decides.

`splitting` tells several problems of one message apart, `rules` and `topics` read it by the words of the
knowledge base, `classifier` by what labelled appeals have taught, `proposing` joins the three and says why.
`training` makes the classifier; it alone needs scikit-learn, and nothing imports it while serving.
"""
